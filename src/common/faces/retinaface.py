"""RetinaFace as an optional detector, through the `uniface` package."""

from typing import Any

import numpy as np

from common.arrays import Image
from common.config.optional_packages import optional
from common.faces.detection import Face, inside_image

# Of the square that an image is fitted into, in pixels.
INPUT_SIDE = 640
_TOLD = "detector retinaface needs uniface; type pip install 'gaze-suite[retinaface]'"


class RetinaFaceDetector:
    """RetinaFace (Deng et al., CVPR 2020) with MobileNetV2, run by ONNX Runtime.

    `uniface` (version 4) fetches the weights (its releases on GitHub, checked by SHA-256) when the
    first image comes, and keeps them in its cache folder. Without network access only the import
    and this adapter could be tried here, not a detection with the real weights.
    Its faces are those of an image reduced to `INPUT_SIDE` pixels: small ones it does not see.
    """

    name = "retinaface"

    def __init__(self, *, min_confidence: float = 0.5) -> None:
        """Configure the detector; the model is loaded on first use.

        Raises:
            ValueError: If `uniface` is not installed.
        """
        optional("uniface", _TOLD)
        self._min_confidence = min_confidence
        self._model: Any = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_model": None}

    def detect(self, image: Image) -> list[Face]:
        """Return the faces in an image (H, W, 3) uint8 RGB, best first.

        Raises:
            ValueError: If the weights are damaged or cannot be fetched.
        """
        if self._model is None:
            self._model = self._load()
        # uniface wants BGR.
        found = self._model.detect(np.ascontiguousarray(image[..., ::-1]))
        faces = [
            Face(
                inside_image(np.asarray(face.bbox, np.float64) - 0.5, image.shape),
                float(face.confidence),
            )
            for face in found
            if np.isfinite([*face.bbox, face.confidence]).all()
        ]
        return sorted(faces, key=lambda face: -face.confidence)

    def _load(self) -> Any:
        try:
            return optional("uniface", _TOLD).RetinaFace(
                confidence_threshold=self._min_confidence,
                input_size=(INPUT_SIDE, INPUT_SIDE),
            )
        # Whatever network, disk and ONNX Runtime raise.
        except Exception as error:
            raise ValueError(
                f"RetinaFace's weights cannot be loaded ({type(error).__name__}: {error}). Give "
                "this machine a network for the first image, or type the detector mediapipe; "
                "remove uniface's cache folder if they are damaged"
            ) from error
