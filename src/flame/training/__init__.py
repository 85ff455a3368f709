"""Lightning module and losses."""
