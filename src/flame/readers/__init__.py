"""Raw data sets of gaze, one file each."""
