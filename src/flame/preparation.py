"""One labelled photo -> one row of the face store: face, landmarks, head pose, face image."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from common.faces.analysis import FaceAnalyzer, FaceObservation
from common.facestore import CODECS, encode_image
from flame.face_image import face_window
from flame.openface_source import OpenFaceFolder, OpenFaceResult
from flame.sample import RawSample, Skipped

Float = npt.NDArray[np.floating[Any]]
LANDMARK_SOURCES = ("mesh", "openface", "dataset")
HEAD_POSE_SOURCES = ("dataset", "mesh", "openface")


@dataclass(frozen=True)
class PreparationSettings:
    """How photos become rows; part of the store's recipe.

    Attributes:
        landmarks: ``mesh`` (MediaPipe's refined face mesh), ``openface`` (csv files), or
            ``dataset`` (the data set brings face images with landmarks; nothing is detected and
            the image is stored as it is).
        head_pose: ``dataset``, ``mesh`` (SQPNP on the mesh) or ``openface``.
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
        if self.landmarks not in LANDMARK_SOURCES:
            raise ValueError(f"landmarks is {self.landmarks!r}, expected one of {LANDMARK_SOURCES}")
        if self.head_pose not in HEAD_POSE_SOURCES:
            raise ValueError(
                f"head_pose is {self.head_pose!r}, expected one of {HEAD_POSE_SOURCES}"
            )
        if self.landmarks == "dataset" and self.head_pose != "dataset":
            raise ValueError("landmarks=dataset detects no face: set head_pose=dataset too")
        if self.codec not in CODECS:
            raise ValueError(f"codec is {self.codec!r}, expected one of {CODECS}")
        if not 1 <= self.quality <= 100:
            raise ValueError(f"quality is {self.quality}, expected 1 to 100")
        if self.box_margin < 0:
            raise ValueError(f"box_margin is {self.box_margin}, expected 0 or more")

    def recipe(self) -> dict[str, Any]:
        """Return the settings as plain values for the store's recipe."""
        return asdict(self)


class UnusablePhotoError(Exception):
    """A photo that cannot become a row; its message is the reason."""


class Preparer:
    """Turns samples into encoded face images and rows.

    Args:
        settings: what is measured and how it is stored.
        analyzer: finds faces; not used with ``landmarks=dataset``.
        openface: OpenFace's results, needed when a setting says ``openface``.
    """

    def __init__(
        self,
        settings: PreparationSettings,
        analyzer: FaceAnalyzer | None,
        openface: OpenFaceFolder | None,
    ) -> None:
        self._settings = settings
        self._analyzer = analyzer
        self._openface = openface

    def prepare(self, sample: RawSample) -> tuple[bytes, dict[str, Any]] | Skipped:
        """Return the encoded face image and its row, or why there is none."""
        try:
            if self._settings.landmarks == "dataset":
                return self._prepare_face_image(sample)
            return self._prepare_photo(sample)
        except UnusablePhotoError as reason:
            return Skipped(sample.sample_id, sample.subject, sample.group, str(reason))

    def _prepare_face_image(self, sample: RawSample) -> tuple[bytes, dict[str, Any]]:
        if sample.landmarks is None or sample.head_pose is None:
            raise UnusablePhotoError("the data set brings no landmarks or no head pose")
        row = _label_columns(sample) | _pose_columns(sample.head_pose, "dataset", None)
        row |= _landmark_columns(sample.landmarks, "dataset", None)
        row |= _box_columns(np.array([0.0, 0.0, sample.image.shape[1], sample.image.shape[0]]))
        return self._encode(sample.image), row

    def _prepare_photo(self, sample: RawSample) -> tuple[bytes, dict[str, Any]]:
        assert self._analyzer is not None
        faces = self._analyzer.analyze(sample.image, sample.camera_matrix)
        face = choose_face(faces, sample.face_hint_px)
        landmarks, landmark_confidence = self._landmarks(sample, face)
        _check_inside(landmarks, sample.image.shape)
        head_pose, error = self._head_pose(sample, face)
        box = np.concatenate([face.mesh[:, :2].min(axis=0), face.mesh[:, :2].max(axis=0)])
        window = face_window(box, sample.image.shape, self._settings.box_margin)
        row = _label_columns(sample) | _pose_columns(head_pose, self._settings.head_pose, error)
        row |= _landmark_columns(
            window.move(landmarks), self._settings.landmarks, landmark_confidence
        )
        row |= _box_columns(box)
        return self._encode(window.cut(sample.image)), row

    def _landmarks(self, sample: RawSample, face: FaceObservation) -> tuple[Float, float]:
        if self._settings.landmarks == "mesh":
            return face.eye_landmarks, face.confidence
        result = self._find_openface(sample, face)
        return result.landmarks, result.confidence

    def _head_pose(self, sample: RawSample, face: FaceObservation) -> tuple[Float, float | None]:
        if self._settings.head_pose == "mesh":
            return face.head_pose, face.reprojection_error
        if self._settings.head_pose == "openface":
            return self._find_openface(sample, face).head_pose, None
        if sample.head_pose is None:
            raise UnusablePhotoError("the data set brings no head pose; use head_pose=mesh")
        return sample.head_pose, None

    def _find_openface(self, sample: RawSample, face: FaceObservation) -> OpenFaceResult:
        assert self._openface is not None
        try:
            return self._openface.find(sample, face.bbox_xyxy_px)
        except LookupError as error:
            raise UnusablePhotoError(str(error.args[0])) from error

    def _encode(self, image: npt.NDArray[np.uint8]) -> bytes:
        return encode_image(image, self._settings.codec, self._settings.quality)


def choose_face(faces: list[FaceObservation], hint_px: Float | None) -> FaceObservation:
    """Return the labelled person's face: the only one, or the one around the hint.

    Args:
        faces: all faces found.
        hint_px: (2,) where the person's eyes project, if the data set tells.

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


def _label_columns(sample: RawSample) -> dict[str, Any]:
    return {
        "sample_id": sample.sample_id,
        "subject": sample.subject,
        "index": sample.index,
        "frame": sample.frame,
        "gaze_yaw_rad": float(sample.gaze[0]),
        "gaze_pitch_rad": float(sample.gaze[1]),
    }


def _pose_columns(head_pose: Float, source: str, error: float | None) -> dict[str, Any]:
    pitch_rad, yaw_rad, roll_rad = (float(value) for value in head_pose)
    return {
        "head_pitch_rad": pitch_rad,
        "head_yaw_rad": yaw_rad,
        "head_roll_rad": roll_rad,
        "head_pose_source": source,
        "head_pose_error": error,
    }


def _landmark_columns(landmarks: Float, source: str, confidence: float | None) -> dict[str, Any]:
    return {
        "landmarks_px": np.asarray(landmarks, dtype=np.float64).tolist(),
        "landmark_source": source,
        "landmark_confidence": confidence,
    }


def _box_columns(bbox_xyxy_px: Float) -> dict[str, Any]:
    x0, y0, x1, y1 = (float(value) for value in bbox_xyxy_px)
    return {"face_x0_px": x0, "face_y0_px": y0, "face_x1_px": x1, "face_y1_px": y1}
