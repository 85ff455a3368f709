"""A folder in the shape of Gaze360."""
