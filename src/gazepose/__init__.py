"""GazePose: is this person looking at the camera wearer? (Ego4D Looking At Me, 2023)."""
