"""The face image: a box of a frame, resized to a square as the original cuts it; its sharpness."""

from dataclasses import dataclass

import cv2
import numpy as np

from common.arrays import Float, Image


@dataclass(frozen=True)
class FaceWindow:
    """The pixels of a frame that a face image shows: columns x0..x1-1, rows y0..y1-1."""

    x0: int
    y0: int
    x1: int
    y1: int

    def cut(self, frame: Image, side_px: int) -> Image:
        """Return the window of a frame (H, W, 3), stretched to (side_px, side_px, 3)."""
        window = frame[self.y0 : self.y1, self.x0 : self.x1]
        # Bilinear, as the original: what shrinks is not averaged.
        return np.asarray(cv2.resize(window, (side_px, side_px)), dtype=np.uint8)

    def normalised(self, points_px: Float) -> Float:
        """Return points (..., 2) of the frame as fractions of the window; 0 and 1 are its edges.

        Args:
            points_px: x, y with whole numbers at pixel centres.
        """
        # MediaPipe's 0 is the outer edge of the first pixel.
        inside = np.asarray(points_px) + 0.5 - [self.x0, self.y0]
        return np.asarray(inside / [self.x1 - self.x0, self.y1 - self.y0])

    def in_frame(self, points: Float) -> Float:
        """Return points (..., 2) in fractions of the window as pixels of the frame."""
        inside = np.asarray(points) * [self.x1 - self.x0, self.y1 - self.y0]
        return np.asarray(inside - 0.5 + [self.x0, self.y0])


def face_window(
    bbox_xyxy_px: Float, image_shape: tuple[int, ...], margin: float
) -> FaceWindow | None:
    """Return the window of a face box (4,) left, top, right, bottom; None if it shows no pixel.

    The edges are cut to whole numbers toward zero and to the frame, as in the Ego4D baseline
    (``frame[int(y1):int(y2), int(x1):int(x2)]`` after clamping at zero). NaN or infinite is
    nowhere. The margin, a part of width and height, is added on every side; 0 as published.
    """
    if not np.isfinite(bbox_xyxy_px).all():
        return None
    left, top, right, bottom = (float(value) for value in bbox_xyxy_px)
    grow_x, grow_y = margin * (right - left), margin * (bottom - top)
    height, width = image_shape[:2]
    x0, x1 = int(max(0.0, left - grow_x)), int(min(width, right + grow_x))
    y0, y1 = int(max(0.0, top - grow_y)), int(min(height, bottom + grow_y))
    return FaceWindow(x0, y0, x1, y1) if x1 > x0 and y1 > y0 else None


def sharpness(image: Image) -> float:
    """Return the variance of the Laplacian of an image (H, W, 3) uint8, in any channel order.

    The original's quality: over all pixels and channels together, not of its gray version.
    """
    return float(cv2.Laplacian(image, cv2.CV_64F).var())
