"""EYEDIAP's frames and its two gaze conventions.

EYEDIAP's world has the viewer frame's axes (x image right, y up, z toward the camera), with the
origin 1 m in front of the RGB-VGA camera. Official: X_camera = R^T (X_world - T), camera axes
x right, y down, z away; for VGA R = diag(1, -1, -1) and T = (0, 0, 1).

Head rotations are taken as: identity = a head that faces the camera, in world axes. This is an
assumption; the head poses published with FLAME, all within +-1.41 rad, agree with it.
"""

from dataclasses import dataclass

import numpy as np

from common.arrays import Float
from common.geometry import CAMERA_TO_VIEWER, gaze_angles, head_pose_from_rotation
from flame.readers.eyediap.files import Calibration

_VGA_ROTATION = np.diag([1.0, -1.0, -1.0])
_VGA_TRANSLATION = np.array([0.0, 0.0, 1.0])
# Calibration files are printed with few digits.
_TOLERANCE = 1e-3


@dataclass(frozen=True)
class FrameLabel:
    """Labels of one video frame.

    Attributes:
        gaze: (2,) [yaw, pitch] rad.
        head_pose: (3,) [pitch, yaw, roll] rad.
        eyes_px: (2,) projection of the point between the eyes into the camera's image.
    """

    gaze: Float
    head_pose: Float
    eyes_px: Float


def world_to_camera(points: Float, camera: Calibration) -> Float:
    """Return world points (..., 3) m in camera coordinates: R^T (X - T)."""
    return (points - camera.translation) @ camera.rotation


def camera_to_world(points: Float, camera: Calibration) -> Float:
    """Return camera points (..., 3) m in world coordinates: R X + T."""
    return points @ camera.rotation.T + camera.translation


def project(points: Float, camera: Calibration) -> Float:
    """Return the pixels (..., 2) where world points (..., 3) m appear; distortion is ignored."""
    homogeneous = world_to_camera(points, camera) @ camera.camera_matrix.T
    return homogeneous[..., :2] / homogeneous[..., 2:]


def is_official_vga(camera: Calibration) -> bool:
    """Return whether a camera stands where every published code has the RGB-VGA camera."""
    return bool(
        np.allclose(camera.rotation, _VGA_ROTATION, atol=_TOLERANCE)
        and np.allclose(camera.translation, _VGA_TRANSLATION, atol=_TOLERANCE)
    )


def geometric_label(
    target: Float, eyes: Float, head_rotation: Float, camera: Calibration
) -> FrameLabel:
    """Label a frame by geometry: gaze from the point between the eyes to the target.

    Gaze and head pose are in the viewer axes of the camera that took the image.

    Args:
        target: (3,) m, world.
        eyes: (2, 3) eyeball centres, m, world; their order does not matter.
        head_rotation: (3, 3) head to world.
        camera: the camera that took the image.
    """
    middle = eyes.mean(axis=0)
    sight = world_to_camera(target, camera) - world_to_camera(middle, camera)
    rotation = CAMERA_TO_VIEWER @ camera.rotation.T @ head_rotation
    return FrameLabel(
        gaze=gaze_angles(CAMERA_TO_VIEWER @ sight),
        head_pose=head_pose_from_rotation(rotation),
        eyes_px=project(middle, camera),
    )


def published_label(
    target: Float, eyes: Float, head_rotation: Float, camera: Calibration
) -> FrameLabel:
    """Label a frame as FLAME's published EYEDIAP labels seem to be made.

    Gaze: [atan(x / z), atan(y / sqrt(x^2 + z^2))] of the screen target, seen from the **world
    origin** instead of the eyes; head pose: the angles of the rotation in world axes. Inferred:
    the label script was not released, but its gaze range, -0.2234..0.2712 rad, is that of the
    screen's points seen from 1 m (facts: atan(x_screen / 1 m)).

    Args:
        target: (3,) m, world, z > 0 (a point of the screen).
        eyes: as for `geometric_label`; only for `FrameLabel.eyes_px`.
        head_rotation: (3, 3) head to world.
        camera: the camera that took the image; only for `FrameLabel.eyes_px`.
    """
    return FrameLabel(
        gaze=gaze_angles(target),
        head_pose=head_pose_from_rotation(head_rotation),
        eyes_px=project(eyes.mean(axis=0), camera),
    )
