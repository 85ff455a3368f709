"""Angular errors of a test: files, slices, figures, pictures."""
