"""Studies: rows, seeds and jobs of a sweep."""
