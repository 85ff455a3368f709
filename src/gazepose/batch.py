"""What travels from the loader to the module."""

from __future__ import annotations

from typing import TYPE_CHECKING, NotRequired, TypedDict

if TYPE_CHECKING:  # spawned preprocessing workers would spend seconds on it
    from torch import Tensor

NUM_FRAMES = 7
CENTRE = NUM_FRAMES // 2
"""Place of the frame that a clip is about; its label and its priors are the clip's."""
BLACK = -1
"""Shown where a clip has nothing to show."""


class ClipBatch(TypedDict):
    """One clip of `NUM_FRAMES` frames a sample. B samples.

    A prior that no net asks for is not in the batch; the data module does not even read it.
    Pixels travel as bytes, a quarter of what floats need, and are normalised on the device.
    """

    clip: Tensor  # (B, 7, 3, H, W) uint8 RGB, packed toward the centre; black = nothing to show
    label: Tensor  # (B,) int64, 1 looks at the camera, 0 does not, -1 nobody knows
    row: Tensor  # (B,) int64, row of the table
    head_bins: NotRequired[Tensor]  # (B, 3) int64 [yaw, pitch, roll], floor(|deg| / split)
    landmarks: NotRequired[Tensor]  # (B, 15) float32, 5 x, 5 y, 5 score; eye-centred, in [-2, 2]
    look: NotRequired[Tensor]  # (B, 15) float32 that `clip` is still to be given, on the device


class EyeContactOutput(TypedDict):
    """What a validation or test step returns."""

    score: Tensor  # (B,) probability of looking at the camera
    label: Tensor  # (B,) 1 looks, 0 does not, -1 unknown
    row: Tensor  # (B,)
