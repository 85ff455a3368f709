"""FLAME: gaze angles from eye crops, eye-landmark heatmaps and head pose (AVSS 2021)."""
