"""Tiles and pyramid levels: how a detector of fixed input size sees small faces."""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt


def pyramid_sides(long_side: float, smallest_side: float) -> list[float]:
    """Return tile sides from the whole image down to the smallest, each at least half the last.

    Args:
        long_side: the image's longer side in pixels.
        smallest_side: side of the finest tiles in pixels; the whole image if it is larger.

    Returns:
        Tile sides in image pixels, decreasing; the first is `long_side`.
    """
    ratio = max(1.0, long_side / smallest_side)
    steps = math.ceil(math.log2(ratio) - 1e-9)
    return [long_side * ratio ** (-step / max(1, steps)) for step in range(steps + 1)]


def tile_origins(length: int, side: int, overlap: float) -> list[int]:
    """Return where tiles start so that they cover [0, length) along one axis.

    Args:
        length: of the image along this axis, in pixels.
        side: of a tile, in pixels.
        overlap: least overlap of neighbours as a fraction of `side`, in [0, 1).

    Returns:
        Evenly spread first pixels; one centred tile (negative origin) if it holds everything.
    """
    if side >= length:
        return [(length - side) // 2]
    gaps = math.ceil((length - side) / (side * (1 - overlap)))
    return [round(index * (length - side) / gaps) for index in range(gaps + 1)]


def shrunk(image: npt.NDArray[np.uint8], scale: float) -> npt.NDArray[np.uint8]:
    """Return the image (H, W, 3) reduced by `scale` with area averaging; never enlarged."""
    if scale >= 1:
        return image
    height, width = image.shape[:2]
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
