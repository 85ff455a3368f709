"""The original's checkpoints, read and written."""
