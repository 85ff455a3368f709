"""What training does to a clip's frames: mirror the clip, crop each frame at random."""

import math

import cv2
import numpy as np
import numpy.typing as npt

from common.arrays import Float, Image

SCALE = (0.8, 1.0)
"""Range of a crop's area, as a fraction of the frame's."""
RATIO = (3 / 4, 4 / 3)
"""Range of a crop's width over height."""
NUM_TRIES = 10
"""Crops drawn for a frame before the whole frame is taken."""
NUM_CROP_DRAWS = 4
"""Random numbers of one try: area, ratio, top, left."""


def crop_boxes(draws: Float, size: int) -> npt.NDArray[np.int64]:
    """Turn random numbers into crops, by the rule of torchvision's ``RandomResizedCrop``.

    From draws (n, `NUM_TRIES`, `NUM_CROP_DRAWS`), uniform in [0, 1), come (n, 4) top, left, height,
    width of the first try that fits a square frame; the whole frame if none does.
    """
    area = (SCALE[0] + (SCALE[1] - SCALE[0]) * draws[..., 0]) * size**2
    low, high = (math.log(bound) for bound in RATIO)
    ratio = np.exp(low + (high - low) * draws[..., 1])
    width, height = np.rint(np.sqrt(area * ratio)), np.rint(np.sqrt(area / ratio))
    top = np.floor(draws[..., 2] * (size - height + 1))
    left = np.floor(draws[..., 3] * (size - width + 1))
    boxes = np.stack([top, left, height, width], -1).astype(np.int64)
    fits = np.maximum(width, height) <= size
    chosen = boxes[np.arange(len(boxes)), fits.argmax(-1)]
    return np.where(fits.any(-1)[:, None], chosen, [0, 0, size, size])


def mirrored(image: Image) -> Image:
    """Return the mirror image."""
    return cv2.flip(image, 1)


def paint(target: Image, image: Image, box: npt.NDArray[np.int64]) -> None:
    """Stretch a crop of a frame over the whole frame, bilinearly, into `target`.

    A crop is never larger than the frame, so nothing shrinks and antialiasing would change
    nothing. The original stretches floats; the bytes here differ from those by one level at most.
    Both are (size, size, 3) uint8, the box (4,) is top, left, height, width.
    """
    top, left, height, width = box.tolist()
    crop = image[top : top + height, left : left + width]
    if crop.shape == target.shape:
        target[:] = crop
    else:
        cv2.resize(crop, target.shape[1::-1], dst=target, interpolation=cv2.INTER_LINEAR)
