"""The originals' weights, read and written."""
