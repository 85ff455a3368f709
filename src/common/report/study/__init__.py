"""Studies in the report: a row is a setting, its number a mean over seeds."""
