"""Smooth scalar fields that head shape and skin are painted with."""

import cv2
import numpy as np

from common.arrays import Array


def smoothstep(start: float, stop: float, x: Array) -> Array:
    """Return 0 below `start`, 1 above `stop` and a cubic ramp between them."""
    t = np.clip((x - start) / (stop - start), 0, 1)
    return t * t * (3 - 2 * t)


def bell(x: Array, centre: Array | float, width: float) -> Array:
    """Return the Gaussian exp(-((x - centre) / width)^2 / 2)."""
    z = (x - centre) / width
    return np.exp(-0.5 * z * z)


def bump(
    x: Array,
    y: Array,
    centre: tuple[Array | float, Array | float],
    width: tuple[float, float],
) -> Array:
    """Return a Gaussian hill of height 1 at `centre`, with standard deviations `width`."""
    return bell(x, centre[0], width[0]) * bell(y, centre[1], width[1])


def smooth_max(a: Array, b: Array, softness: float) -> Array:
    """Return the maximum of two fields, its crease rounded over about `softness`."""
    h = np.clip(0.5 + 0.5 * (a - b) / softness, 0, 1)
    return b + (a - b) * h + softness * h * (1 - h)


def blend(base: Array, paint: Array, amount: Array) -> Array:
    """Return `paint` over `base` (both (..., 3)) where `amount` (...) in [0, 1] says so."""
    return base + (paint - base) * amount[..., None]


def tinted(shade: Array, rgb: Array) -> Array:
    """Return the product (..., 3) of a brightness (h, w) and a colour (3,), of `shade`'s type.

    By planes: NumPy is slow on rows of three.
    """
    return cv2.merge([shade * value for value in rgb.astype(shade.dtype)])


def blend_into(patch: Array, paint: Array, amount: Array) -> None:
    """Put `paint` over `patch` (both (h, w, 3)), in place, where `amount` (h, w) says so."""
    change = paint - patch
    change *= cv2.merge((amount, amount, amount))
    patch += change


def value_noise(rng: np.random.Generator, size: int, cells: tuple[int, int]) -> Array:
    """Return smooth noise (size, size) float32 of unit scale.

    It grows from `cells` independent values along the rows and along the columns.
    """
    grid = rng.standard_normal(cells).astype(np.float32)
    return cv2.resize(grid, (size, size), interpolation=cv2.INTER_CUBIC)
