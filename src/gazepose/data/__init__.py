"""Store to batches: clips of seven frames, temporal dropout, augmentation."""
