"""The originals' trees: face images, tracks, prior files, challenge."""
