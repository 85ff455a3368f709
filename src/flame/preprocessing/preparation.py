"""One labelled photo -> one row of the face store: face, landmarks, head pose, face image."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from common.arrays import Float, Image
from common.config.recordable import recordable
from common.faces.analysis import FaceAnalyzer, FaceObservation
from common.faces.mediapipe.iris import IrisModel
from common.media.image_codec import encode_image
from common.preprocessing.recipe import check_preparation
from common.store.skipped import Skipped
from common.store.writing import Row
from flame.data.crops import eye_centre
from flame.preprocessing.face_image import face_window
from flame.preprocessing.openface_source import OpenFaceFolder, OpenFaceResult
from flame.readers.sample import RawSample
from flame.store.columns import (
    box_columns,
    detection_columns,
    landmark_columns,
    pose_columns,
)

LANDMARK_SOURCES = ("mesh", "openface", "dataset", "iris", "none")
HEAD_POSE_SOURCES = ("dataset", "mesh", "openface", "none")
# Landmark sources for which no face is looked for: the image is one, and stored as it is.
_OF_FACE_IMAGES = ("dataset", "iris", "none")
# What one strange photo or label can bring OpenCV, MediaPipe, Pillow or NumPy to raise.
_BAD_ITEM_ERRORS = (ValueError, ArithmeticError, RuntimeError, cv2.error)


@recordable
@dataclass(frozen=True)
class PreparationSettings:
    """How photos become rows; part of the store's recipe.

    Attributes:
        landmarks: ``mesh`` (MediaPipe's refined face mesh), ``openface`` (csv files),
            ``dataset`` (the data set brings face images with landmarks; nothing is detected and
            the image is stored as it is), ``iris`` (pairs of eyes, stored likewise, measured by
            MediaPipe's iris model), or ``none`` (face images without, likewise: for gaze
            pretraining, which loses no face for want of a mesh).
        head_pose: ``dataset``, ``mesh`` (SQPNP on the mesh) or ``openface``; ``none`` with
            ``landmarks=none``.
        box_margin: part of the face box added on every side before padding.
        codec: ``jpeg`` or lossless ``png``.
        quality: of JPEG, 1..100.

    Raises:
        ValueError: If a setting is none of these.
    """

    landmarks: str = "mesh"
    head_pose: str = "dataset"
    box_margin: float = 0.05
    codec: str = "jpeg"
    quality: int = 95

    def __post_init__(self) -> None:
        check_preparation(self, LANDMARK_SOURCES, HEAD_POSE_SOURCES)
        unmeasured = self.head_pose in _OF_FACE_IMAGES
        if self.landmarks in _OF_FACE_IMAGES and not unmeasured:
            raise ValueError(
                f"landmarks={self.landmarks} detects no face: set head_pose=dataset"
                f"{' or none' if self.landmarks == 'none' else ''} too"
            )
        if self.head_pose == "none" and self.landmarks != "none":
            raise ValueError("head_pose=none is for gaze pretraining: set landmarks=none too")
        if self.box_margin < 0:
            raise ValueError(f"box_margin is {self.box_margin}, expected 0 or more")

    @property
    def detects_faces(self) -> bool:
        """Return whether faces are looked for; else the images are faces."""
        return self.landmarks not in _OF_FACE_IMAGES


class UnusablePhotoError(Exception):
    """A photo that cannot become a row; its message is the reason."""


@dataclass(frozen=True)
class Preparer:
    """Turns samples into encoded face images and rows.

    Attributes:
        settings: what is measured and how it is stored.
        analyzer: finds faces, where they are looked for.
        openface: OpenFace's results, needed when a setting says ``openface``.
        gaze_source: the convention of the samples' gaze labels.
        iris: measures pairs of eyes, needed with ``landmarks=iris``.
    """

    settings: PreparationSettings
    analyzer: FaceAnalyzer | None
    openface: OpenFaceFolder | None
    gaze_source: str
    iris: IrisModel | None = None

    def prepare(self, sample: RawSample) -> Row | Skipped:
        """Return the encoded face image and its row, or why there is none."""
        try:
            if self.settings.detects_faces:
                return self._prepare_photo(sample)
            return self._prepare_face_image(sample)
        except UnusablePhotoError as reason:
            why = str(reason)
        except _BAD_ITEM_ERRORS as error:
            why = f"{type(error).__name__}: {error}"
        return Skipped(sample.sample_id, sample.subject, sample.group, why)

    def _prepare_face_image(self, sample: RawSample) -> Row:
        wanted = self.settings
        landmarks = self._landmarks_of_face_image(sample)
        head_pose = sample.head_pose if wanted.head_pose == "dataset" else None
        if (head_pose is None) != (wanted.head_pose == "none"):
            raise UnusablePhotoError("the data set brings no head pose")
        if landmarks is not None:
            _check_eyes(landmarks, sample.image.shape)
        height, width = sample.image.shape[:2]
        row = _label_columns(sample, self.gaze_source)
        row |= pose_columns(head_pose, wanted.head_pose)
        row |= landmark_columns(landmarks, wanted.landmarks)
        row |= box_columns(np.array([0.0, 0.0, width, height]), "dataset")
        row |= detection_columns(None, None)
        return self._encode(sample.image), row

    def _landmarks_of_face_image(self, sample: RawSample) -> Float | None:
        source = self.settings.landmarks
        if source == "none":
            return None
        if source == "iris":
            return self._landmarks_of_eye_pair(sample)
        if sample.landmarks is None:
            raise UnusablePhotoError("the data set brings no landmarks")
        return sample.landmarks

    def _landmarks_of_eye_pair(self, sample: RawSample) -> Float:
        assert self.iris is not None
        if sample.eye_pair_xyxy_px is None:
            raise UnusablePhotoError("the data set brings no pairs of eyes; use landmarks=mesh")
        x0, y0, x1, y1 = sample.eye_pair_xyxy_px
        landmarks = self.iris.eye_landmarks(sample.image[y0:y1, x0:x1])
        return landmarks + np.repeat([x0, y0], landmarks.size // 2)

    def _prepare_photo(self, sample: RawSample) -> Row:
        assert self.analyzer is not None
        faces = self.analyzer.analyze(sample.image, sample.camera_matrix)
        face = choose_face(faces, sample.face_hint_px)
        landmarks, landmark_confidence = self._landmarks(sample, face)
        _check_inside(landmarks, sample.image.shape)
        box = np.concatenate([face.mesh[:, :2].min(axis=0), face.mesh[:, :2].max(axis=0)])
        window = face_window(box, sample.image.shape, self.settings.box_margin)
        face_image, moved = window.cut(sample.image), window.move(landmarks)
        _check_eyes(moved, face_image.shape)
        row = _label_columns(sample, self.gaze_source) | self._pose_columns(sample, face)
        row |= landmark_columns(moved, self.settings.landmarks, confidence=landmark_confidence)
        row |= box_columns(box, "mesh")
        row |= detection_columns(self.analyzer.detector_name, face.confidence)
        return self._encode(face_image), row

    def _landmarks(self, sample: RawSample, face: FaceObservation) -> tuple[Float, float | None]:
        if self.settings.landmarks == "mesh":
            return face.eye_landmarks, None
        result = self._find_openface(sample, face)
        return result.landmarks, result.confidence

    def _pose_columns(self, sample: RawSample, face: FaceObservation) -> dict[str, Any]:
        source = self.settings.head_pose
        if source == "mesh":
            return pose_columns(face.head_pose, source, error=face.reprojection_error)
        if source == "openface":
            result = self._find_openface(sample, face)
            return pose_columns(result.head_pose, source, confidence=result.confidence)
        if sample.head_pose is None:
            raise UnusablePhotoError("the data set brings no head pose; use head_pose=mesh")
        return pose_columns(sample.head_pose, source)

    def _find_openface(self, sample: RawSample, face: FaceObservation) -> OpenFaceResult:
        assert self.openface is not None
        try:
            return self.openface.find(sample, face.bbox_xyxy_px)
        except LookupError as error:
            raise UnusablePhotoError(str(error.args[0])) from error

    def _encode(self, image: Image) -> bytes:
        return encode_image(image, self.settings.codec, self.settings.quality)


def choose_face(faces: list[FaceObservation], hint_px: Float | None) -> FaceObservation:
    """Return the labelled person's face: the only one, or the one around the hint.

    The hint (2,) is where the person's eyes project, if the data set tells.

    Raises:
        UnusablePhotoError: If there is no face, or several and no hint.
    """
    if not faces:
        raise UnusablePhotoError("no face found")
    if hint_px is not None:
        inside = [face for face in faces if _contains(face.bbox_xyxy_px, hint_px)]
        if not inside:
            raise UnusablePhotoError(
                f"{len(faces)} face(s) found, none where the data set puts the eyes"
            )
        return inside[0]
    if len(faces) > 1:
        raise UnusablePhotoError(f"{len(faces)} faces found")
    return faces[0]


def _contains(bbox_xyxy_px: Float, point_px: Float) -> bool:
    low, high = bbox_xyxy_px[:2], bbox_xyxy_px[2:]
    return bool(np.all(point_px >= low) and np.all(point_px <= high))


def _check_inside(landmarks: Float, image_shape: tuple[int, ...]) -> None:
    height, width = image_shape[:2]
    x, y = landmarks[:56], landmarks[56:]
    inside = (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
    if not inside.all():
        raise UnusablePhotoError(f"{int((~inside).sum())} of 56 eye landmarks lie off the frame")


def _check_eyes(landmarks: Float, image_shape: tuple[int, ...]) -> None:
    """Refuse a face image whose eye crops would not show the eyes."""
    height, width = image_shape[:2]
    centres = [eye_centre(landmarks, "right"), eye_centre(landmarks, "left")]
    if not all(0 <= x <= width - 1 and 0 <= y <= height - 1 for x, y in centres):
        raise UnusablePhotoError("eye centre off the frame")


def _label_columns(sample: RawSample, gaze_source: str) -> dict[str, Any]:
    """Return who, which and where they look, as `flame.store.columns` has it."""
    return {
        "sample_id": sample.sample_id,
        "subject": sample.subject,
        "index": sample.index,
        "frame": sample.frame,
        "part": sample.part,
        "gaze_yaw_rad": float(sample.gaze[0]),
        "gaze_pitch_rad": float(sample.gaze[1]),
        "gaze_source": gaze_source,
    }
