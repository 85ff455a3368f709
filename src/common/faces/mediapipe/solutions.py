"""Nets of MediaPipe's solutions: of the releases up to 0.10.21, whose wheels hold the models."""

from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from common.arrays import Float, Image

# Of the three models of the pose only this one comes with the package; others are downloaded.
_BUNDLED_COMPLEXITY = 1


@dataclass(frozen=True)
class FaceDetection:
    """One of the two face detectors; finds boxes as `common.faces.mediapipe.nets` has them."""

    is_full_range: bool
    min_confidence: float

    def build(self) -> Any:
        """Return the solution."""
        return _solution("face_detection").FaceDetection(
            model_selection=int(self.is_full_range), min_detection_confidence=self.min_confidence
        )

    def run(self, built: Any, image: Image) -> list[Float]:
        """Return the boxes with their scores."""
        return [_scored_box(found) for found in built.process(image).detections or []]


@dataclass(frozen=True)
class FaceMesh:
    """The refined mesh of every face; one image's result never depends on another's."""

    max_faces: int
    min_confidence: float

    def build(self) -> Any:
        """Return the solution."""
        return _solution("face_mesh").FaceMesh(
            static_image_mode=True,
            max_num_faces=self.max_faces,
            refine_landmarks=True,
            min_detection_confidence=self.min_confidence,
        )

    def run(self, built: Any, image: Image) -> list[Float]:
        """Return the meshes (478, 3)."""
        found = built.process(image).multi_face_landmarks or []
        return [np.array([[p.x, p.y, p.z] for p in face.landmark]) for face in found]


@dataclass(frozen=True)
class BodyPose:
    """The pose of one person; one image's result never depends on another's."""

    min_confidence: float

    def build(self) -> Any:
        """Return the solution."""
        return _solution("pose").Pose(
            static_image_mode=True,
            model_complexity=_BUNDLED_COMPLEXITY,
            min_detection_confidence=self.min_confidence,
        )

    def run(self, built: Any, image: Image) -> list[Float]:
        """Return the pose (33, 4), if there is one."""
        found = built.process(image).pose_landmarks
        if found is None:
            return []
        return [np.array([[p.x, p.y, p.z, p.visibility] for p in found.landmark])]


def _solution(name: str) -> Any:
    # Importing MediaPipe takes a second; processes that never use it do not pay.
    return import_module(f"mediapipe.python.solutions.{name}")


def _scored_box(found: Any) -> Float:
    box = found.location_data.relative_bounding_box
    return np.array(
        [box.xmin, box.ymin, box.xmin + box.width, box.ymin + box.height, found.score[0]]
    )
