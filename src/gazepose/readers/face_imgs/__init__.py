"""GazePose's own tree: face images, tracks, labels."""
