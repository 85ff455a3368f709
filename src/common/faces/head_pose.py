"""Head pose from the face mesh and a rigid template, by perspective-n-point.

Zero is the level head of 300W-LP's and AFLW2000-3D's labels, as `common.geometry` says.
`benchmarks/head_pose_accuracy.py` measures this against labelled photos and other ways.
"""

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import cv2
import numpy as np
import numpy.typing as npt

from common.arrays import Float
from common.geometry import (
    CAMERA_TO_VIEWER,
    head_pose_from_rotation,
    rotation_from_head_pose,
)

# What recipes of stores say of ``head_pose=mesh``: another definition needs another name. Stores
# that say nothing are from before, by 23 points about the profile: 4 to 8 degrees further down.
MESH_HEAD_POSE = "35 points, zero of 300W-LP"
# How far down the template would read a head that the labels call level. Of 13 photos of
# AFLW2000-3D within 45 degrees of yaw the five at even places say 4.2 +- 2.6, the other eight
# 3.5 +- 1.3 (standard errors). With it 1,654 faces of LFW read 1.5 up in the mean, frontal
# portraits of three people 2.4 down.
TEMPLATE_PITCH_DEG = 4.2
# Without a camera: focal length over the longer side of the points' bounding box. A crop twice
# as wide as the face and a focal length of five crops, as of a portrait lens.
FOCAL_OVER_FACE = 10.0
_EYE_AND_MOUTH_CORNERS = (33, 133, 362, 263, 61, 291)


@dataclass(frozen=True)
class HeadPoseFit:
    """A head pose and how well the template fits.

    Attributes:
        head_pose: (3,) [pitch, yaw, roll] in radians, viewer frame.
        reprojection_error: root mean square distance of the points from the posed template,
            over the longer side of their bounding box; 0.015 to 0.04 for real faces.
        face_centre_cm: (3,) mean of the eyes' and the mouth's corners, in OpenCV's camera axes.
        camera_matrix: (3, 3) intrinsics that were given or assumed.
    """

    head_pose: Float
    reprojection_error: float
    face_centre_cm: Float
    camera_matrix: Float


@cache
def canonical_face() -> tuple[npt.NDArray[np.intp], Float]:
    """Return mesh indices (35,) and template points (35, 3) in cm, in the head frame.

    The head frame is the viewer frame for a head that faces the camera. The points are the 33 by
    which MediaPipe's own face geometry finds a head, ears and jaw among them, and the corners of
    the mouth, all of its canonical face.
    """
    text = files("common.faces").joinpath("canonical_face.json").read_text(encoding="ascii")
    points = json.loads(text)["points"]
    level = rotation_from_head_pose(np.radians([TEMPLATE_PITCH_DEG, 0, 0]))
    return np.array([int(index) for index in points]), np.array(list(points.values())) @ level.T


def mesh_definition(source: str) -> dict[str, str]:
    """Return what a store's recipe says beside the source of its head poses."""
    return {"mesh_head_pose": MESH_HEAD_POSE} if source == "mesh" else {}


def head_pose_from_mesh(mesh: Float, camera_matrix: Float | None = None) -> HeadPoseFit:
    """Return the head pose of a face mesh.

    SQPNP (Terzakis and Lourakis, ECCV 2020) has no local minima to fall into; OpenCV's iterative
    solver without a first guess returns flipped heads.

    Args:
        mesh: (478, 2 or 3) in image pixels; z is not used.
        camera_matrix: (3, 3) intrinsics in pixels of that image. Without it a distant camera
            straight in front of the face is assumed, so the pose is relative to the line of
            sight.
    """
    indices, template = canonical_face()
    points = np.ascontiguousarray(mesh[indices, :2], dtype=np.float64)
    size = float(np.ptp(points, axis=0).max())
    camera = _camera_at_face(points, size) if camera_matrix is None else camera_matrix
    camera = np.asarray(camera, dtype=np.float64)
    _, rotation, translation = cv2.solvePnP(
        template, points, camera, None, flags=cv2.SOLVEPNP_SQPNP
    )
    projected, _ = cv2.projectPoints(template, rotation, translation, camera, None)
    squared = np.sum((projected.reshape(-1, 2) - points) ** 2, axis=-1)
    # The template is in viewer axes already: only the camera side changes axes.
    to_camera = cv2.Rodrigues(rotation)[0]
    pose = head_pose_from_rotation(CAMERA_TO_VIEWER @ to_camera)
    corners = template[np.isin(indices, _EYE_AND_MOUTH_CORNERS)]
    centre = to_camera @ corners.mean(0) + translation[:, 0]
    return HeadPoseFit(pose, float(np.sqrt(squared.mean())) / size, centre, camera)


def _camera_at_face(points: Float, size: float) -> Float:
    centre = (points.min(0) + points.max(0)) / 2
    focal = FOCAL_OVER_FACE * size
    return np.array([[focal, 0, centre[0]], [0, focal, centre[1]], [0, 0, 1]])
