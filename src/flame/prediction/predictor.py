"""Gaze of the faces in a photo or video: preprocessing's road, with a trained net at its end."""

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
import torch

from common.arrays import Float, Image
from common.config.recordable import recordable
from common.faces.analysis import FaceObservation, observed
from common.faces.detection import Face
from common.faces.drawing import face_size_px
from common.faces.following import FaceFollower, FollowingSettings
from common.faces.head_pose import head_pose_from_mesh
from common.faces.normalisation import (
    SIZE_PX,
    FaceNormalisation,
    normalise_face,
    virtual_camera,
)
from common.faces.settings import AnalyzerSettings
from common.faces.tracking import TrackingSettings
from common.geometry import gaze_angles, gaze_vector
from common.prediction.annotator import Annotator, Found, Judged
from common.training.inference import at_precision, ready
from flame.batch import LEFT, RIGHT, GazeBatch
from flame.data.crops import CROP_SIZE_PX, crop_eye
from flame.prediction.face_gaze import COLUMNS, FaceGaze
from flame.preprocessing.face_image import face_window
from flame.preprocessing.preparation import UnusablePhotoError, choose_face
from flame.training.module import GazeAngleModule

LOG = logging.getLogger(__name__)
# Of a video, so many frames' eyes go through the net together.
_NUM_AT_ONCE = 4
MESH = "mesh"  # of `flame.preprocessing.preparation.LANDMARK_SOURCES` and `HEAD_POSE_SOURCES`


class _View(NamedTuple):
    """A face as the net is to see it: in the photo, or in its normalised image."""

    image: Image
    face: FaceObservation
    normal: FaceNormalisation | None


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
        following: the arguments of `FollowingSettings`: how often a video is searched for faces.
        precision: ``32-true`` or ``bf16-mixed``.
    """

    columns = COLUMNS

    def __init__(
        self,
        module: GazeAngleModule,
        analyzer: AnalyzerSettings,
        box_margin: float,
        trained_landmarks: str | None = None,
        trained_head_pose: str | None = None,
        trained_without_scale: bool | None = None,
        tracking: TrackingSettings | None = None,
        following: Mapping[str, Any] | None = None,
        precision: str = "32-true",
    ) -> None:
        _warn_of_other_sources(landmarks=trained_landmarks, head_pose=trained_head_pose)
        if trained_without_scale is False:
            LOG.warning(
                "if the training data are MPIIFaceGaze, their gaze is multiplied by the "
                "normalisation's scale, and so is what follows: preprocess and train with "
                "data.reader.remove_scale=true"
            )
        self._module = ready(module, precision)
        self._precision = precision
        self._analyzer = analyzer.build()
        self._box_margin = box_margin
        settings = FollowingSettings.of(following)
        self.follower = FaceFollower(self._analyzer, tracking or TrackingSettings(), settings)

    def predict(self, image: Image, camera_matrix: Float | None = None) -> list[FaceGaze]:
        """Return all faces with their gaze; the camera matrix is for their head pose."""
        faces = self._analyzer.analyze(image, camera_matrix)
        if self.follower.settings.largest_only:
            faces = sorted(faces, key=lambda face: -face_size_px(face.bbox_xyxy_px))[:1]
        return self._estimated([(image, face) for face in faces], camera_matrix)

    def judge(self, found: Iterable[Found]) -> Iterator[Judged]:
        """Yield frames with the gaze of those faces that have a mesh."""
        num_at_once = 1 if self.follower.settings.is_live else _NUM_AT_ONCE
        frames = iter(found)
        while block := list(islice(frames, num_at_once)):
            seen = [
                (place, face.track, observed(Face(face.bbox_xyxy_px, face.confidence), face.mesh))
                for place, frame in enumerate(block)
                for face in frame.faces
                if face.mesh is not None
            ]
            gazes = self._estimated([(block[place].frame.image, face) for place, _, face in seen])
            by_place: list[list[FaceGaze]] = [[] for _ in block]
            for (place, track, _), gaze in zip(seen, gazes, strict=True):
                by_place[place].append(replace(gaze, track_id=str(track)))
            yield from zip((frame.frame for frame in block), by_place, strict=True)

    @torch.inference_mode()
    def _estimated(
        self, faces: list[tuple[Image, FaceObservation]], camera_matrix: Float | None = None
    ) -> list[FaceGaze]:
        """Return the gaze of faces, each in its photo; one pass of the net for all of them."""
        if not faces:
            return []
        views = [self._view(image, face, camera_matrix) for image, face in faces]
        batch = _stacked([self._eyes(view.image, view.face) for view in views])
        on_device = {name: value.to(self._module.device) for name, value in batch.items()}
        with at_precision(self._module, self._precision):
            eye_gazes = self._module(on_device).cpu().double().numpy().reshape(-1, 2, 2)
        return [
            self._seen(image, face, view, eye_gaze)
            for (image, face), view, eye_gaze in zip(faces, views, eye_gazes, strict=True)
        ]

    def _view(self, image: Image, face: FaceObservation, camera_matrix: Float | None) -> _View:
        if self._module.gaze_frame != "normalised":
            return _View(image, face, None)
        fit = head_pose_from_mesh(face.mesh, camera_matrix)
        normal = normalise_face(fit.face_centre_cm, fit.head_pose, fit.camera_matrix)
        view = normal.image(image)
        return _View(view, self._find_again(view, face, normal), normal)

    @staticmethod
    def _seen(image: Image, face: FaceObservation, view: _View, eye_gaze: Float) -> FaceGaze:
        if view.normal is not None:
            eye_gaze = view.normal.gaze_in_camera(eye_gaze)
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

    def _eyes(self, image: Image, face: FaceObservation) -> GazeBatch:
        points = face.mesh[:, :2]
        box = np.concatenate([points.min(axis=0), points.max(axis=0)])
        window = face_window(box, image.shape, self._box_margin)
        face_image, landmarks = window.cut(image), window.move(face.eye_landmarks)
        crops, moved = zip(
            *(crop_eye(face_image, landmarks, eye, CROP_SIZE_PX) for eye in ("right", "left")),
            strict=True,
        )
        head_pose = torch.from_numpy(face.head_pose).float()
        return GazeBatch(
            rgb=torch.from_numpy(np.stack(crops).transpose(0, 3, 1, 2).copy()),
            landmarks=torch.from_numpy(np.stack(moved)).float(),
            head_pose=head_pose.expand(2, 3),
            gaze=torch.full((2, 2), torch.nan),
            row=torch.zeros(2, dtype=torch.int64),
            eye=torch.tensor([RIGHT, LEFT]),
        )


def _stacked(batches: list[GazeBatch]) -> dict[str, torch.Tensor]:
    rows: list[Any] = batches
    return {name: torch.cat([row[name] for row in rows]) for name in rows[0]}


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
