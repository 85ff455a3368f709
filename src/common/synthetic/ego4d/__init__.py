"""A folder in the shape of Ego4D's Looking At Me."""
