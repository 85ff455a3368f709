"""Numbers of a test, their intervals, and pictures of samples."""
