"""What travels from the loader to the module."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NotRequired, TypedDict

if TYPE_CHECKING:  # spawned preprocessing workers would spend seconds on it
    from torch import Tensor

EyeRule = Literal["random", "parity", "both", "left", "right"]
RIGHT, LEFT = 0, 1
# `common.faces.eye_landmarks` says which landmarks these are.
NUM_EYE_POINTS = 28  # per eye; point i of the right and of the left eye share channel i
NUM_LANDMARKS = 112  # x of 56 points, then y of 56 points


class GazeBatch(TypedDict):
    """One eye a sample. B samples, pixels with integer centres, angles in radians.

    Heatmaps do not travel: the module renders them from `landmarks` on its device.
    """

    rgb: Tensor  # (B, 3, 120, 120) uint8, 0..255
    landmarks: Tensor  # (B, 112) x0..x55, y0..y55 in pixels of the crop; both eyes
    head_pose: Tensor  # (B, 3) [pitch, yaw, roll]
    gaze: Tensor  # (B, 2) [yaw, pitch]
    row: Tensor  # (B,) int64, row of the table
    eye: Tensor  # (B,) int64, 0 the subject's right eye, 1 the left
    look: NotRequired[Tensor]  # (B, 15) that `rgb` is still to be given, on the device


class GazeOutput(TypedDict):
    """What a validation or test step returns; angles [yaw, pitch] in radians."""

    prediction: Tensor  # (B, 2)
    gaze: Tensor  # (B, 2)
    row: Tensor  # (B,)
    eye: Tensor  # (B,)
