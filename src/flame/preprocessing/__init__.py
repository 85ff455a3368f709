"""Raw samples to rows of a store: face, landmarks, head pose."""
