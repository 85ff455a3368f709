"""The columns of a store's tables, and the table of all frames."""
