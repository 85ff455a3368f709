"""Gaze of the faces in a photo or video: preprocessing's road, with a trained net at its end."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from common.arrays import Float, Image
from common.config.recordable import recordable
from common.faces.analysis import FaceObservation
from common.faces.camera_motion import CameraMotion
from common.faces.drawing import (
    draw_box,
    draw_eye_landmarks,
    draw_gaze_arrow,
    draw_head_axes,
    draw_label,
    face_size_px,
)
from common.faces.head_pose import head_pose_from_mesh
from common.faces.normalisation import (
    SIZE_PX,
    FaceNormalisation,
    normalise_face,
    virtual_camera,
)
from common.faces.settings import AnalyzerSettings
from common.faces.tracking import FaceTracker, TrackingSettings
from common.geometry import gaze_angles, gaze_vector
from common.media.video import TimedFrame, read_timed_frames
from common.prediction.annotator import Annotator
from flame.batch import LEFT, RIGHT, GazeBatch
from flame.data.crops import CROP_SIZE_PX, crop_eye
from flame.preprocessing.face_image import face_window
from flame.preprocessing.preparation import UnusablePhotoError, choose_face
from flame.training.module import GazeAngleModule

LOG = logging.getLogger(__name__)
MESH = "mesh"  # of `flame.preprocessing.preparation.LANDMARK_SOURCES` and `HEAD_POSE_SOURCES`


@dataclass(frozen=True)
class FaceGaze:
    """A face and where it looks.

    Attributes:
        face: box, landmarks and head pose.
        gaze: (2,) [yaw, pitch] in radians: the mean direction of both eyes.
        eye_gaze: (2, 2) of the subject's right and left eye alone.
        eyes_in_frame: whether all landmarks of both eyes lie in the photo. Where one does not,
            the net saw padding; preprocessing skips such photos.
        track_id: which face of the video; empty in a photo.
    """

    face: FaceObservation
    gaze: Float
    eye_gaze: Float
    eyes_in_frame: bool
    track_id: str = ""

    def record(self) -> dict[str, Any]:
        """Return plain values; angles in degrees, the box in pixels."""
        right, left = np.rad2deg(self.eye_gaze).round(3).tolist()
        yaw_deg, pitch_deg = np.rad2deg(self.gaze).round(3).tolist()
        head_pitch_deg, head_yaw_deg, head_roll_deg = (
            np.rad2deg(self.face.head_pose).round(3).tolist()
        )
        return {
            "bbox_xyxy_px": np.round(self.face.bbox_xyxy_px, 1).tolist(),
            "confidence": round(self.face.confidence, 4),
            "gaze_yaw_deg": yaw_deg,
            "gaze_pitch_deg": pitch_deg,
            "right_eye_gaze_yaw_pitch_deg": right,
            "left_eye_gaze_yaw_pitch_deg": left,
            "head_pitch_deg": head_pitch_deg,
            "head_yaw_deg": head_yaw_deg,
            "head_roll_deg": head_roll_deg,
            "eyes_in_frame": self.eyes_in_frame,
        }

    def draw(self, image: Image) -> None:
        """Draw box, eye landmarks, head axes, gaze arrow and track into a photo (H, W, 3) RGB."""
        box, landmarks = self.face.bbox_xyxy_px, self.face.eye_landmarks
        size_px, between_eyes = face_size_px(box), landmarks.reshape(2, -1).mean(axis=1)
        draw_box(image, box)
        draw_eye_landmarks(image, landmarks)
        draw_head_axes(image, self.face.head_pose, self.face.mesh[1, :2], size_px)
        draw_gaze_arrow(image, self.gaze, between_eyes, size_px)
        if self.track_id:
            draw_label(image, self.track_id, box)


@recordable
class PhotoPredictor(Annotator):
    """Finds the faces of a photo or video frame and estimates where each one looks.

    Landmarks and head pose come from the face mesh, whatever gave them in training: a photo
    brings none. If training took others, a warning says so. A net trained in the normalised frame
    sees normalised faces, and its gaze is turned back into the camera's.

    Args:
        module: with its weights.
        analyzer: how faces are found.
        box_margin: as in preprocessing of the training data.
        trained_landmarks: `flame.preprocessing.preparation.PreparationSettings.landmarks` of the
            training data; None if unknown.
        trained_head_pose: likewise its `head_pose`.
        trained_without_scale: `remove_scale` of `flame.readers.gazehub.GazeHubReader`, if that
            read the training data.
        tracking: when faces of two frames are one; every detection counts, whatever its
            `min_length`.
    """

    def __init__(
        self,
        module: GazeAngleModule,
        analyzer: AnalyzerSettings,
        box_margin: float,
        trained_landmarks: str | None = None,
        trained_head_pose: str | None = None,
        trained_without_scale: bool | None = None,
        tracking: TrackingSettings | None = None,
    ) -> None:
        _warn_of_other_sources(landmarks=trained_landmarks, head_pose=trained_head_pose)
        if trained_without_scale is False:
            LOG.warning(
                "if the training data are MPIIFaceGaze, their gaze is multiplied by the "
                "normalisation's scale, and so is what follows: preprocess and train with "
                "data.reader.remove_scale=true"
            )
        self._module = module.eval()
        self._analyzer = analyzer.build()
        self._box_margin = box_margin
        self._tracking = tracking or TrackingSettings()

    def predict_video(self, path: Path) -> Iterator[tuple[TimedFrame, list[FaceGaze]]]:
        """Yield every frame with its faces; only the track of a face joins frames."""
        tracker, motion = FaceTracker(self._tracking), CameraMotion()
        for frame in read_timed_frames(path):
            faces = self.predict(frame.image)
            boxes = [face.face.bbox_xyxy_px for face in faces]
            tracks = tracker.update(frame.number, boxes, motion.follow(frame.image))
            numbered = zip(faces, tracks, strict=True)
            yield frame, [replace(face, track_id=str(track)) for face, track in numbered]

    @torch.inference_mode()
    def predict(self, image: Image, camera_matrix: Float | None = None) -> list[FaceGaze]:
        """Return all faces with their gaze; the camera matrix is for their head pose."""
        faces = self._analyzer.analyze(image, camera_matrix)
        return [self._estimate(image, face, camera_matrix) for face in faces]

    def _estimate(
        self, image: Image, face: FaceObservation, camera_matrix: Float | None
    ) -> FaceGaze:
        if self._module.gaze_frame == "normalised":
            fit = head_pose_from_mesh(face.mesh, camera_matrix)
            normal = normalise_face(fit.face_centre_cm, fit.head_pose, fit.camera_matrix)
            view = normal.image(image)
            eye_gaze = normal.gaze_in_camera(
                self._eye_gaze(view, self._find_again(view, face, normal))
            )
        else:
            eye_gaze = self._eye_gaze(image, face)
        gaze = gaze_angles(gaze_vector(eye_gaze).sum(axis=0))
        return FaceGaze(face, gaze, eye_gaze, _lie_inside(face.eye_landmarks, image.shape))

    def _find_again(
        self, view: Image, face: FaceObservation, normal: FaceNormalisation
    ) -> FaceObservation:
        """Return a face as preprocessing finds it in its normalised image.

        The mesh of so tight a view differs from the photo's, its head pitch by 6 degrees on drawn
        faces. Where it finds none, the photo's is moved.
        """
        try:
            faces = self._analyzer.analyze(view, virtual_camera())
            return choose_face(faces, np.array([SIZE_PX / 2, SIZE_PX / 2]))
        except UnusablePhotoError:
            return _moved(face, normal)

    def _eye_gaze(self, image: Image, face: FaceObservation) -> Float:
        batch = {name: value.to(self._module.device) for name, value in self._eyes(image, face)}
        return np.asarray(self._module(batch).cpu().double().numpy())

    def _eyes(self, image: Image, face: FaceObservation) -> list[tuple[str, torch.Tensor]]:
        points = face.mesh[:, :2]
        box = np.concatenate([points.min(axis=0), points.max(axis=0)])
        window = face_window(box, image.shape, self._box_margin)
        face_image, landmarks = window.cut(image), window.move(face.eye_landmarks)
        crops, moved = zip(
            *(crop_eye(face_image, landmarks, eye, CROP_SIZE_PX) for eye in ("right", "left")),
            strict=True,
        )
        head_pose = torch.from_numpy(face.head_pose).float()
        batch = GazeBatch(
            rgb=torch.from_numpy(np.stack(crops).transpose(0, 3, 1, 2).copy()),
            landmarks=torch.from_numpy(np.stack(moved)).float(),
            head_pose=head_pose.expand(2, 3),
            gaze=torch.full((2, 2), torch.nan),
            row=torch.zeros(2, dtype=torch.int64),
            eye=torch.tensor([RIGHT, LEFT]),
        )
        return list(batch.items())  # type: ignore[arg-type]


def _warn_of_other_sources(**trained: str | None) -> None:
    others = {name: source for name, source in trained.items() if source not in (None, MESH)}
    if others:
        LOG.warning(
            "trained with %s, but of a photo only the face mesh is known: errors may exceed the "
            "test's. To train as photos are seen, preprocess with %s",
            " and ".join(f"{name}={source}" for name, source in others.items()),
            " ".join(f"data.preprocessor.preparation.{name}={MESH}" for name in others),
        )


def _moved(face: FaceObservation, normal: FaceNormalisation) -> FaceObservation:
    """Return a face of the photo as it lies in its normalised image."""
    mesh = face.mesh.copy()
    mesh[:, :2] = normal.points(mesh[:, :2])
    eyes = normal.points(face.eye_landmarks.reshape(2, -1).T).T.reshape(-1)
    head_pose = head_pose_from_mesh(mesh, virtual_camera()).head_pose
    return replace(face, mesh=mesh, eye_landmarks=eyes, head_pose=head_pose)


def _lie_inside(landmarks: Float, image_shape: tuple[int, ...]) -> bool:
    height, width = image_shape[:2]
    x, y = landmarks.reshape(2, -1)
    return bool(np.all((x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)))
