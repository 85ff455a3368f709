"""A folder in the shape of ColumbiaGaze."""
