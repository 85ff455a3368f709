"""Labelled photos as a data set of eye contact: every face is a track of one frame."""
