"""What is behind a person: a softly lit wall with blurred things on it."""

import cv2
import numpy as np

from common.arrays import Array

F32 = np.float32

# Drawn small, then enlarged: out of focus at no cost.
SMALL_SIZE = 48


def sample_backdrop(rng: np.random.Generator, height: int, width: int) -> Array:
    """Return a linear RGB image (height, width, 3) float32."""
    small = _wall(rng)
    for _ in range(int(rng.integers(0, 7))):
        _put_box(small, rng)
    small = cv2.GaussianBlur(small, (0, 0), float(rng.uniform(0.5, 2.5)))
    wide = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.clip(wide, 0.005, 1)


def _wall(rng: np.random.Generator) -> Array:
    corners = _muted_colour(rng) * rng.uniform(0.6, 1.3, (2, 2, 1))
    return cv2.resize(corners.astype(F32), (SMALL_SIZE, SMALL_SIZE), interpolation=cv2.INTER_LINEAR)


def _put_box(image: Array, rng: np.random.Generator) -> None:
    x0, y0 = rng.integers(-6, SMALL_SIZE, 2)
    width, height = rng.integers(3, 22, 2)
    colour = _muted_colour(rng)
    image[max(y0, 0) : y0 + height, max(x0, 0) : x0 + width] = colour


def _muted_colour(rng: np.random.Generator) -> Array:
    grey = rng.uniform(0.03, 0.65)
    return np.clip(grey * (1 + rng.uniform(-0.25, 0.25, 3)), 0.01, 0.9).astype(F32)
