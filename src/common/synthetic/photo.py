"""From linear light to a photo: exposure, blur, gamma, sensor noise."""

from functools import lru_cache

import cv2
import numpy as np

from common.arrays import Array, Image

F32 = np.float32

GAMMA, GAMMA_LEVELS = 2.2, 4096
NOISE_SIZE = 1024
EXPOSURE, BLUR_PX, NOISE_LEVELS = (0.85, 1.25), (0.25, 0.9), (0.5, 5.0)
# A narrower blur than this changes nothing visible.
MIN_BLUR_PX = 0.2


def develop(
    linear: Array,
    rng: np.random.Generator,
    *,
    exposure: float | None = None,
    blur_px: float | None = None,
    noise_levels: float | None = None,
) -> Image:
    """Return the photo (H, W, 3) uint8 of linear light (H, W, 3) float32 RGB, 1 is white.

    What is not given is drawn: the factor on the light, the standard deviation of the blur, and
    that of the noise, of 255.
    """
    exposure = rng.uniform(*EXPOSURE) if exposure is None else exposure
    blur_px = rng.uniform(*BLUR_PX) if blur_px is None else blur_px
    noise_levels = rng.uniform(*NOISE_LEVELS) if noise_levels is None else noise_levels
    if blur_px > MIN_BLUR_PX:
        linear = cv2.GaussianBlur(linear, (0, 0), blur_px)
    top = GAMMA_LEVELS - 1
    scaled = linear * F32(exposure * top)
    levels = np.clip(scaled, 0, top, out=scaled).astype(np.uint16)
    photo = np.take(_gamma_table(), levels)
    photo += np.multiply(_noise(rng, *photo.shape[:2]), F32(noise_levels), out=scaled)
    return np.clip(photo, 0, 255, out=photo).astype(np.uint8)


def to_levels(linear: Array) -> Image:
    """Return linear light in [0, 1] as 8-bit levels, spaced as the eye sees them."""
    return np.round(linear ** (1 / GAMMA) * 255).astype(np.uint8)


def to_linear(levels: Image) -> Array:
    """Return 8-bit levels (`to_levels`) as linear light, float32."""
    return cv2.LUT(levels, _linear_table())


@lru_cache(maxsize=1)
def _linear_table() -> Array:
    return ((np.arange(256) / 255) ** GAMMA).astype(F32)


@lru_cache(maxsize=1)
def _gamma_table() -> Array:
    return (np.linspace(0, 1, GAMMA_LEVELS) ** (1 / GAMMA) * 255).astype(F32)


@lru_cache(maxsize=1)
def _noise_field() -> Array:
    return np.random.default_rng(0).standard_normal((NOISE_SIZE, NOISE_SIZE, 3)).astype(F32)


def _noise(rng: np.random.Generator, height: int, width: int) -> Array:
    """Return noise (height, width, 3): a random cut of one field, repeated where too small."""
    row, column = (int(rng.integers(max(NOISE_SIZE - n, 0) + 1)) for n in (height, width))
    field = _noise_field()
    if row + height <= NOISE_SIZE and column + width <= NOISE_SIZE:
        return field[row : row + height, column : column + width]
    rows, columns = np.arange(row, row + height), np.arange(column, column + width)
    return field.take(rows, axis=0, mode="wrap").take(columns, axis=1, mode="wrap")
