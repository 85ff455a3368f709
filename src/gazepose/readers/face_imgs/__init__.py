"""GazePose's own tree: face images or videos, tracks, labels, priors."""
