"""How much of a face image a net sees, and how large."""

from dataclasses import dataclass

import cv2

from common.arrays import Image


@dataclass(frozen=True)
class FaceView:
    """What is shown of a stored face.

    Attributes:
        size: side of the square that the net sees.
        zoom: 1 shows all of the face, as published; 1.5 the middle two thirds of its width and
            height, so that a small net sees larger eyes.

    Raises:
        ValueError: If the size is not positive or the zoom less than 1.
    """

    size: int = 224
    zoom: float = 1.0

    def __post_init__(self) -> None:
        if self.size < 1:
            raise ValueError(f"image_size is {self.size}, expected at least 1")
        if self.zoom < 1:
            raise ValueError(f"zoom is {self.zoom}, expected 1 (the whole face) or more")

    def __call__(self, image: Image) -> Image:
        """Return (size, size, 3) of an image (H, W, 3): shrunk by area averaging, or stretched."""
        shown = self._middle(image)
        if shown.shape[:2] == (self.size, self.size):
            return shown
        method = cv2.INTER_AREA if min(shown.shape[:2]) > self.size else cv2.INTER_LINEAR
        return cv2.resize(shown, (self.size, self.size), interpolation=method)

    def _middle(self, image: Image) -> Image:
        height, width = image.shape[:2]
        shown = round(height / self.zoom), round(width / self.zoom)
        top, left = (height - shown[0]) // 2, (width - shown[1]) // 2
        return image[top : top + shown[0], left : left + shown[1]]
