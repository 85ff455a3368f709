"""Where invented people look and how they move."""
