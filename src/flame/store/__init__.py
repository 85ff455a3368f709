"""The columns of a gaze store's tables."""
