"""Eye landmarks of a pair of eyes without a face around them, by MediaPipe's iris model.

The face mesh needs a face; eye crops have none. MediaPipe refines its mesh by a net of its own that
sees one eye in 64 x 64 pixels, and which finds lids and iris without the mesh, too.
"""

from pathlib import Path

import cv2
import numpy as np

from common.arrays import Float, Image
from common.config.optional_packages import optional, package_file
from common.faces.eye_landmarks import eye_landmarks
from common.faces.mediapipe.native_stderr import silence_native_stderr
from common.faces.mediapipe.release import refuse_without_solutions

_MODEL = "modules/iris_landmark/iris_landmark.tflite"
_MODEL_TOLD = (
    "landmarks=iris takes the iris model from MediaPipe's wheel. Type:"
    " pip install --force-reinstall --no-deps 'mediapipe>=0.10.21,<0.10.22'"
)
_PATCH_PX = 64
# Where in a pair an eye is looked for first, and how large the patch is, in widths of the pair.
_LEFT_EYE, _RIGHT_EYE = 0.25, 0.75
_FIRST_SIDE, _SMALLEST_SIDE, _LARGEST_SIDE = 0.55, 0.5, 0.62
# In MediaPipe's graph, too, the patch is 2.3 eyes wide.
_SIDE_OVER_EYE = 2.3
_NUM_LOOKS = 4
# The net's points: of 71, 0..8 are the lower lid and 9..15 the upper between the corners 0 and 8;
# of the iris' 5, 0 is the centre. It knows eyes whose corner 0 is at the left; others are flipped.
_LOWER_LID = np.arange(9)
_UPPER_LID = np.array([0, 9, 10, 11, 12, 13, 14, 15, 8])
_CONTOUR = slice(0, 16)
# Image-left, top, image-right and bottom of the iris.
_QUARTERS, _FLIPPED_QUARTERS = [3, 2, 1, 4], [1, 2, 3, 4]


class IrisModel:
    """MediaPipe's iris model, run by LiteRT; it belongs to the process that builds it.

    Raises:
        ValueError: If LiteRT (the extra ``iris``) is missing, or the MediaPipe that is installed
            has no such model.
    """

    def __init__(self) -> None:
        told = "landmarks=iris needs ai-edge-litert; type pip install -e '.[iris]'"
        interpreter = optional("ai_edge_litert.interpreter", told).Interpreter
        path = _model_path()
        with silence_native_stderr():
            self._net = interpreter(model_path=str(path))
            self._net.allocate_tensors()
        self._input: int = self._net.get_input_details()[0]["index"]
        self._outputs: list[int] = [found["index"] for found in self._net.get_output_details()]

    def eye_landmarks(self, eye_pair: Image) -> Float:
        """Return the landmarks of a pair of eyes in OpenFace's order.

        Args:
            eye_pair: (H, W, 3) uint8 RGB, upright, one eye around a quarter and one around three
                quarters of its width.

        Returns:
            (112,) x_0..x_55, y_0..y_55 in pixels, as `common.faces.eye_landmarks` has them.
        """
        eyes = [self._find_eye(eye_pair, flipped=flipped) for flipped in (False, True)]
        lids, iris_quarters, iris_centres = (np.stack(part) for part in zip(*eyes, strict=True))
        return eye_landmarks(lids, iris_quarters, iris_centres)

    def _find_eye(self, eye_pair: Image, *, flipped: bool) -> tuple[Float, Float, Float]:
        """Return lids (12, 2), iris quarters (4, 2) and iris centre (2,); right eyes are flipped.

        Every look is centred on the eye that the look before found.
        """
        height, width = eye_pair.shape[:2]
        x, y = (_RIGHT_EYE if flipped else _LEFT_EYE) * width, 0.5 * height
        side = _FIRST_SIDE * width
        for _ in range(_NUM_LOOKS):
            contour, iris = self._look(eye_pair, x, y, side, flipped=flipped)
            (x, y), eye_width = (contour.min(0) + contour.max(0)) / 2, np.ptp(contour[:, 0])
            side = np.clip(
                _SIDE_OVER_EYE * eye_width, _SMALLEST_SIDE * width, _LARGEST_SIDE * width
            )
        quarters = _FLIPPED_QUARTERS if flipped else _QUARTERS
        return _lids(contour, flipped=flipped), iris[quarters], iris[0]

    def _look(
        self, image: Image, x: float, y: float, side: float, *, flipped: bool
    ) -> tuple[Float, Float]:
        """Return contour (16, 2) and iris (5, 2) of the eye in a square, in pixels of `image`."""
        scale, x0, y0 = _PATCH_PX / side, x - side / 2, y - side / 2
        to_patch = np.array([[scale, 0, -x0 * scale], [0, scale, -y0 * scale]], np.float32)
        size = (_PATCH_PX, _PATCH_PX)
        patch = cv2.warpAffine(image, to_patch, size, borderMode=cv2.BORDER_REPLICATE)
        contour, iris = self._run(patch[:, ::-1] if flipped else patch)
        for points in (contour, iris):
            if flipped:
                points[:, 0] = _PATCH_PX - 1 - points[:, 0]
        return contour / scale + [x0, y0], iris / scale + [x0, y0]

    def _run(self, patch: Image) -> tuple[Float, Float]:
        """Return contour (16, 2) and iris (5, 2) in pixels of the patch."""
        self._net.set_tensor(self._input, np.ascontiguousarray(patch[None], np.float32) / 255)
        self._net.invoke()
        eye, iris = (
            self._net.get_tensor(output).reshape(-1, 3)[:, :2].copy() for output in self._outputs
        )
        # The net counts from the edge of the first pixel, the patch from its centre.
        return eye[_CONTOUR] - 0.5, iris - 0.5


def _lids(contour: Float, *, flipped: bool) -> Float:
    """Return OpenFace's 12 points of the lids, evenly along those of a contour (16, 2)."""
    lower, upper = contour[_LOWER_LID], contour[_UPPER_LID]
    if flipped:
        lower, upper = lower[::-1], upper[::-1]
    # Both from corner to corner; the lower lid runs back, without the corners.
    return np.concatenate([_evenly(upper), _evenly(lower)[5:0:-1]])


def _evenly(line: Float) -> Float:
    """Return 7 points (7, 2) at even distances along a line (N, 2), its ends included."""
    lengths = np.linalg.norm(np.diff(line, axis=0), axis=1)
    along = np.concatenate([[0.0], np.cumsum(lengths)])
    wanted = np.arange(7) / 6
    return np.stack([np.interp(wanted, along / along[-1], line[:, axis]) for axis in (0, 1)], 1)


def _model_path() -> Path:
    refuse_without_solutions("landmarks=iris", "the iris model")
    return package_file("mediapipe", _MODEL, _MODEL_TOLD)
