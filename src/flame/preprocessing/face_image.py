"""FLAME's face image: the face box, zero-padded to 4:5, resized to 384 x 480."""

from dataclasses import dataclass

import cv2
import numpy as np

from common.arrays import Float, Image

FACE_WIDTH_PX = 384
FACE_HEIGHT_PX = 480


@dataclass(frozen=True)
class FaceWindow:
    """The columns x0..x1-1 and rows y0..y1-1 cut from a photo, and the zeros put around them."""

    x0: int
    y0: int
    x1: int
    y1: int
    pad_left: int
    pad_top: int
    pad_right: int
    pad_bottom: int

    @property
    def scale(self) -> tuple[float, float]:
        """Horizontal and vertical factor from the padded cut to the face image."""
        width = self.x1 - self.x0 + self.pad_left + self.pad_right
        height = self.y1 - self.y0 + self.pad_top + self.pad_bottom
        return FACE_WIDTH_PX / width, FACE_HEIGHT_PX / height

    def cut(self, image: Image) -> Image:
        """Return the (480, 384, 3) face image of an (H, W, 3) photo."""
        padded = cv2.copyMakeBorder(
            image[self.y0 : self.y1, self.x0 : self.x1],
            *(self.pad_top, self.pad_bottom, self.pad_left, self.pad_right),
            cv2.BORDER_CONSTANT,
            value=(0, 0, 0),
        )
        shrinks = min(self.scale) < 1
        interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        return np.asarray(
            cv2.resize(padded, (FACE_WIDTH_PX, FACE_HEIGHT_PX), interpolation=interpolation)
        )

    def move(self, landmarks: Float) -> Float:
        """Return landmarks (112,) of the photo as pixels of the face image."""
        scale_x, scale_y = self.scale
        x, y = np.split(np.asarray(landmarks, dtype=np.float64), 2)
        # Integer coordinates are pixel centres, so pixel edges scale, not centres.
        moved_x = (x - self.x0 + self.pad_left + 0.5) * scale_x - 0.5
        moved_y = (y - self.y0 + self.pad_top + 0.5) * scale_y - 0.5
        return np.concatenate([moved_x, moved_y])


def face_window(bbox_xyxy_px: Float, image_shape: tuple[int, ...], margin: float) -> FaceWindow:
    """Return the window of a face box (4,) in the photo, which may reach beyond it.

    The margin, a part of the box's width and height, is added on every side.

    Raises:
        ValueError: If the box has no pixel inside the photo.
    """
    left, top, right, bottom = (float(value) for value in bbox_xyxy_px)
    grow_x, grow_y = margin * (right - left), margin * (bottom - top)
    height, width = image_shape[:2]
    x0, x1 = max(0, round(left - grow_x)), min(width, round(right + grow_x))
    y0, y1 = max(0, round(top - grow_y)), min(height, round(bottom + grow_y))
    if x1 <= x0 or y1 <= y0:
        raise ValueError(f"face box {bbox_xyxy_px} lies outside the {width} x {height} image")
    pad_left, pad_right = _padding(x1 - x0, round((y1 - y0) * FACE_WIDTH_PX / FACE_HEIGHT_PX))
    pad_top, pad_bottom = _padding(y1 - y0, round((x1 - x0) * FACE_HEIGHT_PX / FACE_WIDTH_PX))
    return FaceWindow(x0, y0, x1, y1, pad_left, pad_top, pad_right, pad_bottom)


def _padding(length: int, wanted: int) -> tuple[int, int]:
    missing = max(0, wanted - length)
    return missing // 2, missing - missing // 2
