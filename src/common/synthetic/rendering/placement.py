"""Where a head is in front of the camera: the border between the suite's axes and the face's.

Camera axes (OpenCV): x right, y down, z away from the camera, centimetres.
Viewer axes (`common.geometry`): x right, y up, z toward the camera.
Face axes (`identity.py`): x right, y down, f out of the face, for a head facing the camera.
"""

from dataclasses import dataclass

import numpy as np

from common.arrays import Float
from common.geometry import CAMERA_TO_VIEWER, gaze_angles, gaze_vector, rotation_from_head_pose

# Face axes to viewer axes for a head that faces the camera.
FACE_TO_VIEWER = np.diag([1.0, -1.0, 1.0])
# Eyes turn at most about 50 to 55 degrees in the head; Columbia's grid asks for 45.
MAX_EYE_IN_HEAD_RAD = float(np.radians(50.0))


@dataclass(frozen=True)
class HeadPlacement:
    """A head's place and turn.

    Attributes:
        axes: (3, 3) face axes to camera axes.
        position_cm: (3,) the head's middle in camera axes.
    """

    axes: Float
    position_cm: Float

    @classmethod
    def from_head_pose(cls, head_pose: Float, position_cm: Float) -> "HeadPlacement":
        """Place a head by the suite's [pitch, yaw, roll] in radians."""
        rotation = rotation_from_head_pose(np.asarray(head_pose, dtype=np.float64))
        axes = CAMERA_TO_VIEWER.T @ rotation @ FACE_TO_VIEWER
        return cls(axes, np.asarray(position_cm, dtype=np.float64))

    @property
    def camera_in_face(self) -> Float:
        """The camera's place (3,) in face axes, cm."""
        return -self.position_cm @ self.axes

    def to_camera(self, points_cm: Float) -> Float:
        """Return points (..., 3) given in face axes in camera axes."""
        return points_cm @ self.axes.T + self.position_cm

    def direction_to_face(self, direction: Float) -> Float:
        """Return a direction (3,) given in camera axes in face axes."""
        return direction @ self.axes

    def gaze_to_face(self, gaze: Float) -> Float:
        """Return the suite's gaze [yaw, pitch] as a unit vector (3,) in face axes."""
        return self.direction_to_face(CAMERA_TO_VIEWER.T @ gaze_vector(gaze))


def eye_in_head_rad(gaze: Float, head_pose: Float) -> float:
    """Return how far the eyes are turned from where the face points, in radians."""
    forward = rotation_from_head_pose(head_pose)[:, 2]
    return float(np.arccos(np.clip(gaze_vector(gaze) @ forward, -1, 1)))


def limit_gaze(gaze: Float, head_pose: Float, limit_rad: float = MAX_EYE_IN_HEAD_RAD) -> Float:
    """Return the nearest gaze [yaw, pitch] within `limit_rad` of where the face points."""
    forward = rotation_from_head_pose(head_pose)[:, 2]
    wanted = gaze_vector(gaze)
    if eye_in_head_rad(gaze, head_pose) <= limit_rad:
        return gaze
    sideways = wanted - (wanted @ forward) * forward
    sideways /= np.linalg.norm(sideways)
    return gaze_angles(np.cos(limit_rad) * forward + np.sin(limit_rad) * sideways)


def project(camera_matrix: Float, points_cm: Float) -> Float:
    """Return pixels (..., 2) of points (..., 3) in camera axes."""
    homogeneous = points_cm @ camera_matrix.T
    return homogeneous[..., :2] / homogeneous[..., 2:]


def centred_camera(image_size: tuple[int, int], focal_px: float) -> Float:
    """Return the matrix (3, 3) of a camera whose axis meets the middle of the image."""
    middle_x, middle_y = ((side - 1) / 2 for side in image_size)
    return np.array([[focal_px, 0, middle_x], [0, focal_px, middle_y], [0, 0, 1.0]])
