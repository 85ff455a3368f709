"""Nets of MediaPipe's Tasks: of today's releases, with the models of a file that is fetched."""

import os
import zipfile
from dataclasses import dataclass
from typing import Any

import numpy as np

from common.arrays import Float, Image
from common.faces.mediapipe.model import face_model

# The short-range detector within the file, the one detector there.
_DETECTOR = "face_detector.tflite"
# The detector returns whole pixels of the image it gets. An image of so many pixels for one is
# sampled at the centres of these blocks, and so looks the same to the net.
_SUBPIXELS = 4


@dataclass(frozen=True)
class FaceDetection:
    """The short-range face detector."""

    min_confidence: float

    def build(self) -> Any:
        """Return the task."""
        vision = _vision()
        with zipfile.ZipFile(face_model()) as models:
            content = models.read(_DETECTOR)
        options = vision.FaceDetectorOptions(
            base_options=base_options(model_asset_buffer=content),
            min_detection_confidence=self.min_confidence,
        )
        return vision.FaceDetector.create_from_options(options)

    def run(self, built: Any, image: Image) -> list[Float]:
        """Return the boxes with their scores."""
        fine = image.repeat(_SUBPIXELS, axis=0).repeat(_SUBPIXELS, axis=1)
        sides = np.tile(fine.shape[1::-1], 2)
        found = []
        for one in built.detect(_image(fine)).detections:
            box, score = one.bounding_box, one.categories[0].score
            left, top = box.origin_x, box.origin_y
            corners = np.array([left, top, left + box.width, top + box.height]) / sides
            found.append(np.append(corners, score))
        return found


@dataclass(frozen=True)
class FaceMesh:
    """The mesh of every face, irises included."""

    max_faces: int
    min_confidence: float

    def build(self) -> Any:
        """Return the task."""
        vision = _vision()
        options = vision.FaceLandmarkerOptions(
            base_options=base_options(model_asset_path=str(face_model())),
            num_faces=self.max_faces,
            min_face_detection_confidence=self.min_confidence,
        )
        return vision.FaceLandmarker.create_from_options(options)

    def run(self, built: Any, image: Image) -> list[Float]:
        """Return the meshes (478, 3)."""
        found = built.detect(_image(image)).face_landmarks
        return [np.array([[p.x, p.y, p.z] for p in face]) for face in found]


def base_options(**model: Any) -> Any:
    """Return the options of a model, by which MediaPipe keeps to itself how it is used.

    A task that is closed posts versions, counts and times to Google. It does not where it has no
    certificate by which to trust whom it reaches.
    """
    from mediapipe.tasks.python import BaseOptions

    class KeptOptions(BaseOptions):
        def to_ctypes(self) -> Any:
            options = super().to_ctypes()
            options.ca_bundle_path = os.devnull.encode()
            return options

    return KeptOptions(**model)


def _vision() -> Any:
    # Importing MediaPipe takes a second; processes that never use it do not pay.
    from mediapipe.tasks.python import vision

    return vision


def _image(image: Image) -> Any:
    import mediapipe

    return mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=image)
