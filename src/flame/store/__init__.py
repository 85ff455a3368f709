"""The columns of a gaze store's tables, and its labels as arrays."""
