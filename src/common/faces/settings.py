"""Which detector finds faces, as plain values for configs and store recipes."""

from dataclasses import asdict, dataclass
from typing import Any

from common.config.recordable import recordable
from common.faces.analysis import FaceAnalyzer
from common.faces.centerface import CenterFaceDetector
from common.faces.detection import (
    SMALLEST_FACE_FRACTION,
    FaceDetector,
    MediaPipeDetector,
    SmallestFace,
)
from common.faces.mediapipe.mesh import FaceMesh
from common.faces.mediapipe.release import release_definition

DETECTORS = ("centerface", "mediapipe", "retinaface")


@recordable
@dataclass(frozen=True)
class AnalyzerSettings:
    """How faces are found; the same in preprocessing and prediction.

    Attributes:
        detector: ``centerface``, ``mediapipe``, or ``retinaface`` with the extra of that name.
        min_confidence: least score of a face in [0, 1].
        min_face_px: width of the smallest face to look for (not of RetinaFace).
        min_face_fraction: the same as a fraction of the photo's longer side. The larger of the
            two counts, so that the work is bounded, however large the photo. 0 leaves
            `min_face_px` alone to decide.
    """

    detector: str = "centerface"
    min_confidence: float = 0.5
    min_face_px: float = 40.0
    min_face_fraction: float = SMALLEST_FACE_FRACTION

    def __post_init__(self) -> None:
        if self.detector not in DETECTORS:
            raise ValueError(f"detector is {self.detector!r}, expected one of {DETECTORS}")
        if not 0 <= self.min_face_fraction <= 1:
            raise ValueError(
                f"min_face_fraction is {self.min_face_fraction}, expected 0 to 1: a part of the "
                "photo's longer side"
            )

    def recipe(self) -> dict[str, Any]:
        """Return what a store's content depends on, as plain values."""
        return {**asdict(self), **release_definition()}

    def build(self) -> FaceAnalyzer:
        """Return an analyzer; it builds its graphs on first use."""
        return FaceAnalyzer(self._detector(), FaceMesh())

    def _detector(self) -> FaceDetector:
        if self.detector == "retinaface":
            from common.faces.retinaface import RetinaFaceDetector  # optional extra

            return RetinaFaceDetector(min_confidence=self.min_confidence)
        smallest_face = SmallestFace(self.min_face_px, self.min_face_fraction)
        detector = CenterFaceDetector if self.detector == "centerface" else MediaPipeDetector
        return detector(smallest_face, min_confidence=self.min_confidence)
