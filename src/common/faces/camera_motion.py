"""How far a moving camera has carried the picture: what makes faces of two frames comparable.

Phase correlation (Kuglin and Hines, "The phase correlation image alignment method", 1975) of small
grey copies of neighbouring frames, with OpenCV. It finds shifts only: no turning, no zooming.
"""

import cv2
import numpy as np
import numpy.typing as npt

from common.arrays import Float, Image

# (width, height) of the copies, both good for a Fourier transform and even: in odd ones OpenCV
# finds the middle half a pixel off.
_SMALL_PX = (240, 144)
# Share of the picture's structure that must agree. In clips with camera shake and motion blur it
# was 0.2 to 1 where the picture only moved, below 0.1 where it did not hold.
_LEAST_RESPONSE = 0.15


class CameraMotion:
    """Follows the picture from frame to frame.

    Attributes:
        is_held: whether the latest frame shows what the one before did, moved at most; False at a
            cut, and where a swing blurs all.
    """

    def __init__(self) -> None:
        self.is_held = False
        self._window = cv2.createHanningWindow(_SMALL_PX, cv2.CV_32F)
        self._last: npt.NDArray[np.float32] | None = None
        self._offset_px = np.zeros(2)

    def follow(self, image: Image) -> Float:
        """Return where the picture lies: (x, y) px to the right of and below its first place.

        Frames that have too little in common, as at a cut, count as not moved. Each image (H, W, 3)
        uint8 RGB is the frame after that of the call before, of the same size.
        """
        small = cv2.resize(
            cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), _SMALL_PX, interpolation=cv2.INTER_AREA
        ).astype(np.float32)
        self.is_held = False
        if self._last is not None:
            height, width = image.shape[:2]
            scale = np.array([width, height]) / _SMALL_PX
            self._offset_px = self._offset_px + self._shift(self._last, small) * scale
        self._last = small
        return self._offset_px

    def _shift(self, before: npt.NDArray[np.float32], after: npt.NDArray[np.float32]) -> Float:
        if not before.std() or not after.std():
            return np.zeros(2)
        shift, response = cv2.phaseCorrelate(before, after, self._window)
        self.is_held = response >= _LEAST_RESPONSE
        return np.array(shift) if self.is_held else np.zeros(2)
