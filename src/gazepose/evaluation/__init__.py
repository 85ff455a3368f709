"""Average precision of a test: files, slices, figures, pictures."""
