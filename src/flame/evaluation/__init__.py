"""Errors of a test: files, slices, figures, calibration."""
