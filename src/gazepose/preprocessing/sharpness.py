"""Sharpness of a face image."""

import cv2

from common.arrays import Image


def sharpness(image: Image) -> float:
    """Return the variance of the Laplacian of an image (H, W, 3) uint8, in any channel order.

    The original's quality: over all pixels and channels together, not of its gray version.
    """
    return float(cv2.Laplacian(image, cv2.CV_64F).var())
