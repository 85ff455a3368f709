"""A run on a browser's camera, live."""
