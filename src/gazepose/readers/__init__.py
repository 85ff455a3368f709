"""Raw data sets of eye contact."""
