"""Raw data sets of gaze, and FLAME's metadata files."""
