"""Sharpness of a face image."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt


def sharpness(image: npt.NDArray[np.uint8]) -> float:
    """Return the variance of the Laplacian of an image (H, W, 3) uint8, in any channel order.

    The original's quality: over all pixels and channels together, not of its gray version.
    """
    return float(cv2.Laplacian(image, cv2.CV_64F).var())
