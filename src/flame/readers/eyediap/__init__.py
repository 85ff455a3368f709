"""EYEDIAP: sessions, screen and floating targets."""
