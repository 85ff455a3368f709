"""Gaze pretraining on Gaze360, where eye contact starts from."""
