"""Store to batches: eye crops, splits, ranges."""
