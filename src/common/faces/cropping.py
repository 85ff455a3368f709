"""Windows of an image that may reach over its border, and smaller or moved copies of it."""

import cv2
import numpy as np

from common.arrays import Float, Image


def padded_square(image: Image, x0: int, y0: int, side: int) -> Image:
    """Return the square window with the top-left pixel (x0, y0), zero outside the image (H, W, C).

    Pixel (0, 0) of the result (side, side, C) is the image's pixel (x0, y0); both may be negative.
    """
    height, width = image.shape[:2]
    left, right = max(x0, 0), min(x0 + side, width)
    top, bottom = max(y0, 0), min(y0 + side, height)
    if right - left == side and bottom - top == side:
        return image[top:bottom, left:right]
    window = np.zeros((side, side, image.shape[2]), image.dtype)
    if left < right and top < bottom:
        window[top - y0 : bottom - y0, left - x0 : right - x0] = image[top:bottom, left:right]
    return window


def shrunk(image: Image, scale: float) -> Image:
    """Return the image (H, W, 3) reduced by `scale` with area averaging; never enlarged."""
    if scale >= 1:
        return image
    height, width = image.shape[:2]
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def moved(image: Image, shift_px: Float, zoom: float | Float) -> tuple[Image, Float]:
    """Move an image (H, W, 3) by (2,) px to the right and down, zoomed about its centre.

    `zoom` is one factor, or (2,) of width and height. Its border goes on outside. A point (x, y) of
    it is at ``zoom * (x, y) + offset``; returned are the image and the offset (2,).
    """
    height, width = image.shape[:2]
    centre = np.array([width - 1, height - 1]) / 2
    offset = centre + shift_px - zoom * centre
    if not shift_px.any() and np.all(zoom == 1):
        return image, offset
    matrix = np.column_stack([np.eye(2) * zoom, offset])
    shown = cv2.warpAffine(image, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(shown, np.uint8), offset
