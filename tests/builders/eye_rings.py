"""Eye landmarks as rings of points."""

import numpy as np


def eyes_of(landmarks: np.ndarray) -> np.ndarray:
    """Return (2, 28, 2) pixels of (112,) landmarks, image-left eye first."""
    return landmarks.reshape(2, 2, 28).transpose(1, 2, 0)


def signed_area(ring: np.ndarray) -> float:
    """Return the area of a ring; y points down: a positive one is clockwise on the screen."""
    x, y = ring.T
    return float((x * np.roll(y, -1) - np.roll(x, -1) * y).sum() / 2)
