"""A face in a frame -> its image as stored, five points, head pose and sharpness."""

from collections.abc import Collection
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from common.arrays import Float, Image
from common.config.recordable import recordable
from common.faces.head_pose import head_pose_from_mesh, mesh_definition
from common.faces.mediapipe.mesh import FaceMesh
from common.faces.mediapipe.pose import BodyPose
from common.faces.mediapipe.release import release_definition
from common.media.image_codec import decode_image, encode_image
from common.preprocessing.recipe import check_preparation
from gazepose.preprocessing.face_image import FaceWindow, face_window, sharpness
from gazepose.preprocessing.five_points import points_from_mesh, points_from_pose
from gazepose.preprocessing.head_angles import hopenet_angles_deg
from gazepose.preprocessing.hopenet import HopenetHeadPose

LANDMARK_SOURCES = ("mesh", "pose", "prior", "prior_or_mesh", "none")
HEAD_POSE_SOURCES = ("mesh", "hopenet", "prior", "prior_or_mesh", "none")
MESH, PRIOR, PRIOR_OR_MESH, NONE = "mesh", "prior", "prior_or_mesh", "none"
# Width over height of a usual face box. A face image of a file was stretched from an unknown box
# to a square, and the mesh reads that as a pitch: 10 degrees off on demo faces, 3 with this.
USUAL_ASPECT = 0.8


@recordable
@dataclass(frozen=True)
class PreparationSettings:
    """How faces become rows; part of the store's recipe.

    Attributes:
        landmarks: ``mesh`` (MediaPipe's refined face mesh), ``pose`` (MediaPipe Pose, as
            published), ``prior`` (the json_prior files of the data set), ``prior_or_mesh`` (the
            files of the parts that have them, the mesh for the others) or ``none``.
        head_pose: ``mesh`` (SQPNP on the mesh), ``hopenet`` (as published), ``prior``,
            ``prior_or_mesh`` or ``none``.
        hopenet_weights: Hopenet's weights file, for ``head_pose=hopenet``.
        margin: part of the box's width and height added on every side; 0 as published.
        size: side of the stored square in pixels; 224 as published.
        codec: ``jpeg`` or lossless ``png``.
        quality: of JPEG, 1..100.

    Raises:
        ValueError: If a setting is none of these, or Hopenet's file is needed and not there.
    """

    landmarks: str = "mesh"
    head_pose: str = "mesh"
    hopenet_weights: str | Path | None = None
    margin: float = 0.0
    size: int = 224
    codec: str = "jpeg"
    quality: int = 95

    def __post_init__(self) -> None:
        check_preparation(self, LANDMARK_SOURCES, HEAD_POSE_SOURCES)
        if self.margin < 0:
            raise ValueError(f"margin is {self.margin}, expected 0 or more")
        if self.size < 1:
            raise ValueError(f"size is {self.size}, expected 1 pixel or more")
        self._hopenet()  # refuses a missing file before the first frame

    @property
    def wanted_priors(self) -> tuple[str, ...]:
        """What is taken from the data set's prior files, of ``landmarks`` and ``head_pose``.

        As far as there are any.
        """
        return self._from(PRIOR, PRIOR_OR_MESH)

    @property
    def needed_priors(self) -> tuple[str, ...]:
        """What must be taken from there: of `wanted_priors` what the mesh may not give."""
        return self._from(PRIOR)

    def with_priors(self, kinds: Collection[str]) -> "PreparationSettings":
        """Return the preparation for where the prior files hold these kinds alone."""
        undecided = self._from(PRIOR_OR_MESH)
        decided: Any = {kind: PRIOR if kind in kinds else MESH for kind in undecided}
        return replace(self, **decided)

    def recipe(self) -> dict[str, Any]:
        """Return what the store's content depends on, as plain values.

        Hopenet's file is named by its content: it may be moved. Where the mesh stands in for
        prior files, the clips' rows and fingerprints say so, not the recipe: a file that comes
        later costs the clips of its part, not the store.
        """
        hopenet = self._hopenet()
        weights = None if hopenet is None else hopenet.fingerprint()
        settings = asdict(self.with_priors(self.wanted_priors))
        release = release_definition() if self.uses_mesh else {}
        return {
            **settings,
            "hopenet_weights": weights,
            **mesh_definition(self.head_pose),
            **release,
        }

    @property
    def uses_mesh(self) -> bool:
        """Return whether landmarks or head pose come from the mesh for certain."""
        return MESH in (self.landmarks, self.head_pose)

    def build(self) -> "Preparer":
        """Return what prepares faces; it builds its graphs on first use."""
        assert self.needed_priors == self.wanted_priors, "with_priors says which files there are"
        return Preparer(
            self,
            FaceMesh() if self.uses_mesh else None,
            BodyPose() if self.landmarks == "pose" else None,
            self._hopenet(),
        )

    def _from(self, *sources: str) -> tuple[str, ...]:
        """Return what comes from one of these sources."""
        return tuple(kind for kind in ("landmarks", "head_pose") if getattr(self, kind) in sources)

    def _hopenet(self) -> HopenetHeadPose | None:
        if self.head_pose != "hopenet":
            return None
        if self.hopenet_weights is None:
            raise ValueError(
                "head_pose=hopenet needs Hopenet's weights: set "
                "data.preprocessor.preparation.hopenet_weights=hopenet_robust_alpha1.pkl"
            )
        return HopenetHeadPose(Path(self.hopenet_weights))


@dataclass(frozen=True)
class PreparedFace:
    """A face image as it is stored, and what was measured on it.

    Attributes:
        encoded: the image as bytes; a file that the data set brings is kept as it is.
        sharpness: variance of the Laplacian over all pixels and channels, before encoding.
        points: (5, 3) [x, y, score], crop-normalised (0 and 1 are the image's edges); nose, left
            eye, right eye, mouth left, mouth right, left and right the subject's. None if they
            were not found or not asked for.
        head_pose_deg: (3,) [yaw, pitch, roll] as Hopenet counts them; None as for `points`.
    """

    encoded: bytes
    sharpness: float
    points: Float | None
    head_pose_deg: Float | None


@dataclass(frozen=True)
class Preparer:
    """Cuts, measures and encodes faces; has what its settings take something from."""

    settings: PreparationSettings
    mesh: FaceMesh | None
    pose: BodyPose | None
    hopenet: HopenetHeadPose | None

    def from_frame(
        self, frame: Image, bbox_xyxy_px: Float, mesh: Float | None = None
    ) -> PreparedFace | None:
        """Return the face in a box (4,) of a frame (H, W, 3) RGB; None if it lies outside.

        Its mesh is found, where the settings ask for one and it is not known.
        """
        settings = self.settings
        window = face_window(bbox_xyxy_px, frame.shape, settings.margin)
        if window is None:
            return None
        image = window.cut(frame, settings.size)
        if mesh is None and self.mesh is not None:
            # It sees more of the frame than the face image shows: tight boxes cut chins.
            mesh = self.mesh.landmarks(frame, _at_most_the_frame(bbox_xyxy_px, frame.shape))
        encoded = encode_image(image, settings.codec, settings.quality)
        return self._measured(encoded, image, mesh, window)

    def from_file(self, encoded: bytes) -> PreparedFace:
        """Return a face image that the data set brings; its bytes are kept.

        Raises:
            ValueError: If the bytes are no image, or not of the size the nets take.
        """
        image, side_px = decode_image(encoded), self.settings.size
        if image is None:
            raise ValueError("damaged image")
        if image.shape != (side_px, side_px, 3):
            height, width = image.shape[:2]
            raise ValueError(f"image of {width} x {height} pixels, expected {side_px} x {side_px}")
        narrow = FaceWindow(0, 0, round(USUAL_ASPECT * side_px), side_px)
        return self._measured(encoded, image, self._mesh_of_whole(image, narrow), narrow)

    def _mesh_of_whole(self, image: Image, narrow: FaceWindow) -> Float | None:
        """Return the mesh of a face image as it was before it was stretched."""
        if self.mesh is None:
            return None
        unstretched = np.asarray(cv2.resize(image, (narrow.x1, narrow.y1)), np.uint8)
        return self.mesh.landmarks(unstretched, np.array([0, 0, narrow.x1 - 1.0, narrow.y1 - 1.0]))

    def _measured(
        self, encoded: bytes, image: Image, mesh: Float | None, window: FaceWindow
    ) -> PreparedFace:
        return PreparedFace(
            encoded=encoded,
            sharpness=sharpness(image),
            points=self._points(image, mesh, window),
            head_pose_deg=self._head_pose_deg(image, mesh),
        )

    def _points(self, image: Image, mesh: Float | None, window: FaceWindow) -> Float | None:
        if self.pose is not None:
            pose = self.pose.landmarks(image)
            return None if pose is None else points_from_pose(pose)
        if self.settings.landmarks != "mesh" or mesh is None:
            return None
        return points_from_mesh(mesh, window)

    def _head_pose_deg(self, image: Image, mesh: Float | None) -> Float | None:
        if self.hopenet is not None:
            return self.hopenet.angles_deg(image)
        if self.settings.head_pose != "mesh" or mesh is None:
            return None
        return hopenet_angles_deg(head_pose_from_mesh(mesh).head_pose)


def _at_most_the_frame(bbox_xyxy_px: Float, image_shape: tuple[int, ...]) -> Float:
    """Return a box that is larger than the frame cut to it: its square would fill the memory.

    Others may reach beyond the frame, as the published rule leaves them.
    """
    height, width = image_shape[:2]
    if max(bbox_xyxy_px[2:] - bbox_xyxy_px[:2]) <= max(height, width):
        return bbox_xyxy_px
    return np.clip(bbox_xyxy_px, 0, [width, height, width, height])
