"""preprocess.py: groups of raw data to a store, in processes and shares."""
