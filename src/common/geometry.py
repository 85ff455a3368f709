"""The angle contract of the suite, stated once.

Viewer frame: x to the image's right, y up, z from the face toward the camera; radians.

``gaze = [yaw, pitch]`` has the direction (cos p sin y, sin p, cos p cos y): (0, 0) looks into
the camera, +yaw to the image's right, +pitch up.

``head_pose = [pitch, yaw, roll]`` are the angles of R = Rz(roll) Ry(yaw) Rx(pitch), the rotation
from a head that faces the camera to the head as seen, in the viewer frame. This is how FLAME's
layout stores it, so signs are those of right-handed rotations: +yaw turns the face to the image's
right, **+pitch turns it down** (the opposite of gaze pitch), +roll turns it counter-clockwise in
the image. Zero is the level head of the labels of 300W-LP and AFLW2000-3D (Zhu et al., CVPR 2016):
their 3-D face model as it is, not turned. Hopenet, which learnt from them, has the same zero, and
the face mesh's angles are brought to it (`common.faces.head_pose`). A data set's own labels keep
theirs, mostly a person who sits upright and faces the camera; people hold their heads some degrees
higher or lower.

Flipping the image negates yaw (gaze and head) and roll, and leaves both pitches.

Angles stand in one of two frames: ``camera``, the photo's own, as above, and ``normalised``, that
of a virtual camera which looks at the face and whose x axis is the head's
(`common.faces.normalisation`). Data say in which theirs are, runs record it, and what people read
is in the camera frame.

Functions named ``gaze_*`` take NumPy arrays or torch tensors and return the same kind.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import numpy as np

from common.arrays import Array, Float

if TYPE_CHECKING:
    import torch

GazeFrame = Literal["camera", "normalised"]
CONTRACT = (
    "Viewer frame: x to the image's right, y up, z from the face toward the camera. "
    "gaze = [yaw, pitch] has the direction (cos p sin y, sin p, cos p cos y): (0, 0) looks into "
    "the camera, +yaw to the image's right, +pitch up. head_pose = [pitch, yaw, roll] of "
    "R = Rz Ry Rx: +yaw turns the face to the image's right, +pitch turns it down, +roll "
    "counter-clockwise; zero is the level head of 300W-LP. gaze_frame: camera is the photo's; "
    "normalised is that of a virtual camera 60 cm before the face, rolled as the head is (Zhang et "
    "al., ETRA 2018), from which gaze is turned back by the inverse rotation."
)
"""The same in short, for files that leave the suite."""
LARGEST_RAD = 3.1416  # pi and what float32 adds to it
ArrayT = TypeVar("ArrayT", Array, "torch.Tensor")

# OpenCV camera axes (x right, y down, z away) to the viewer frame and back.
CAMERA_TO_VIEWER: Float = np.diag([1.0, -1.0, -1.0])


def _namespace(values: Any) -> Any:
    # Who has a tensor has imported torch; preprocessing's workers would spend seconds on it.
    torch = sys.modules.get("torch")
    return torch if torch is not None and isinstance(values, torch.Tensor) else np


def gaze_vector(gaze: ArrayT) -> ArrayT:
    """Return the unit direction of gaze angles.

    Args:
        gaze: (..., 2) [yaw, pitch] in radians.

    Returns:
        (..., 3) unit vectors in the viewer frame.
    """
    xp = _namespace(gaze)
    yaw, pitch = gaze[..., 0], gaze[..., 1]
    parts = [xp.cos(pitch) * xp.sin(yaw), xp.sin(pitch), xp.cos(pitch) * xp.cos(yaw)]
    return xp.stack(parts, -1)


def gaze_angles(vector: ArrayT) -> ArrayT:
    """Return the gaze angles of directions of any length; the inverse of `gaze_vector`.

    Args:
        vector: (..., 3) in the viewer frame, not zero.

    Returns:
        (..., 2) [yaw, pitch] in radians, yaw in (-pi, pi], pitch in [-pi/2, pi/2].
    """
    xp = _namespace(vector)
    x, y, z = vector[..., 0], vector[..., 1], vector[..., 2]
    return xp.stack([xp.arctan2(x, z), xp.arctan2(y, xp.sqrt(x * x + z * z))], -1)


def gaze_within_range(gaze: ArrayT) -> ArrayT:
    """Return the same directions (..., 2) by the angles of `gaze_angles`; those in range stay.

    [pi, pi] is straight ahead, too: a loss on directions does not tell a net from the other.
    """
    xp = _namespace(gaze)
    is_beyond = (xp.abs(gaze[..., 0]) > np.pi) | (xp.abs(gaze[..., 1]) > np.pi / 2)
    return xp.where(is_beyond[..., None], gaze_angles(gaze_vector(gaze)), gaze)


def rotation_from_head_pose(head_pose: Float) -> Float:
    """Return R = Rz(roll) Ry(yaw) Rx(pitch).

    Args:
        head_pose: (..., 3) [pitch, yaw, roll] in radians.

    Returns:
        (..., 3, 3) rotation matrices in the viewer frame.
    """
    pitch, yaw, roll = np.moveaxis(np.asarray(head_pose, dtype=np.float64), -1, 0)
    cx, sx, cy, sy = np.cos(pitch), np.sin(pitch), np.cos(yaw), np.sin(yaw)
    cz, sz = np.cos(roll), np.sin(roll)
    rows = [
        [cz * cy, cz * sy * sx - sz * cx, cz * sy * cx + sz * sx],
        [sz * cy, sz * sy * sx + cz * cx, sz * sy * cx - cz * sx],
        [-sy, cy * sx, cy * cx],
    ]
    return np.stack([np.stack(row, -1) for row in rows], -2)


def head_pose_from_rotation(rotation: Float) -> Float:
    """Return the head pose of rotations; the inverse of `rotation_from_head_pose`.

    At yaw = +-90 degrees pitch and roll turn about one axis; pitch is then set to zero, as
    FLAME's own decomposition does.

    Args:
        rotation: (..., 3, 3) rotation matrices in the viewer frame.

    Returns:
        (..., 3) [pitch, yaw, roll] in radians, yaw in [-pi/2, pi/2].
    """
    rotation = np.asarray(rotation, dtype=np.float64)
    sin_yaw = -rotation[..., 2, 0]
    locked = np.abs(sin_yaw) >= 1
    yaw = np.arcsin(np.clip(sin_yaw, -1, 1))
    pitch = np.arctan2(rotation[..., 2, 1], rotation[..., 2, 2])
    roll = np.arctan2(rotation[..., 1, 0], rotation[..., 0, 0])
    # Rz(roll) Ry(+-pi/2): the second column is (-sin roll, cos roll, 0).
    locked_roll = np.arctan2(-rotation[..., 0, 1], rotation[..., 1, 1])
    return np.stack(
        [np.where(locked, 0.0, pitch), yaw, np.where(locked, locked_roll, roll)], axis=-1
    )


def face_direction(head_pose: Float) -> Float:
    """Return where the face points, as gaze angles: what a person looking straight ahead sees.

    Args:
        head_pose: (..., 3) [pitch, yaw, roll] in radians.

    Returns:
        (..., 2) [yaw, pitch] in radians.
    """
    return gaze_angles(rotation_from_head_pose(head_pose)[..., :, 2])


def mirror_gaze(gaze: ArrayT) -> ArrayT:
    """Return the gaze angles (..., 2) seen in the horizontally flipped image."""
    return gaze * _like([-1.0, 1.0], gaze)


def mirror_head_pose(head_pose: ArrayT) -> ArrayT:
    """Return the head pose (..., 3) seen in the horizontally flipped image."""
    return head_pose * _like([1.0, -1.0, -1.0], head_pose)


def angular_error(prediction: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Return the angle between two gaze directions.

    Exactly zero for equal inputs, accurate for small angles, and with a finite gradient
    everywhere: atan2(|a x b|, <a, b>) instead of the arc cosine of an unclamped product, which
    is NaN for 15 % of equal float32 pairs.

    Args:
        prediction: (..., 2) [yaw, pitch] in radians.
        target: (..., 2) [yaw, pitch] in radians.

    Returns:
        (...) angles in radians, in [0, pi].
    """
    import torch

    a, b = gaze_vector(prediction), gaze_vector(target)
    # |a x b|^2 by the difference: equal inputs give exactly zero.
    cross = torch.linalg.cross(a, b - a)
    squared = cross.square().sum(-1)
    is_zero = squared == 0
    # The inner `where` keeps the square root's infinite slope out of the backward pass.
    sine = torch.where(is_zero, squared, torch.where(is_zero, 1.0, squared).sqrt())
    return torch.atan2(sine, (a * b).sum(-1))


def _like(values: list[float], other: ArrayT) -> ArrayT:
    if isinstance(other, np.ndarray):
        return np.asarray(values, dtype=other.dtype)
    return other.new_tensor(values)
