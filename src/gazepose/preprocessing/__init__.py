"""Raw faces to rows of a store: image, points, head pose, sharpness."""
