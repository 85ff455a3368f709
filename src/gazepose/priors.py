"""Spatial priors of a clip's middle frame: bins of the head pose, landmarks around the eyes."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np
import numpy.typing as npt

from common.arrays import Array, Float
from gazepose.batch import CENTRE

if TYPE_CHECKING:
    from torch import Tensor

Landmarks = TypeVar("Landmarks", Array, "Tensor")

LARGEST_DEG = 90.0
"""End of the table of head poses, and what stands for an unknown one."""
NUM_POINTS = 5
LEFT_EYE, RIGHT_EYE = 1, 2

# Nose, left eye, right eye, mouth left, mouth right as a mirror shows them.
_MIRROR_ORDER = np.array([0, 2, 1, 4, 3])
_MIRRORED_VALUES = np.concatenate([_MIRROR_ORDER + 5 * block for block in range(3)]).tolist()
_BOUND = 2.0
# The frame itself, then its neighbours, as published: +3 before -3.
_NEIGHBOUR_ORDER = CENTRE + np.array([0, -1, 1, -2, 2, 3, -3])


def num_head_bins(split_deg: float) -> int:
    """Return how many bins an angle has.

    Raises:
        ValueError: If a bin's size is not in (0, 90].
    """
    if not 0 < split_deg <= LARGEST_DEG:
        raise ValueError(
            f"priors.split is {split_deg} degrees, expected more than 0 and at most 90"
        )
    return int(LARGEST_DEG / split_deg) + 1


def head_bins(head_pose_deg: Float, split_deg: float) -> npt.NDArray[np.int64]:
    """Return the bin of each angle: floor(|angle| / split).

    Angles beyond 90 degrees, which Hopenet can give, take the last bin; the original crashes.

    Args:
        head_pose_deg: (..., 3) [yaw, pitch, roll]; unknown where one of them is NaN.
        split_deg: size of a bin.

    Returns:
        (..., 3) int64; those of 90 degrees where unknown, as published.
    """
    return np.minimum(_unbounded_bins(head_pose_deg, split_deg), num_head_bins(split_deg) - 1)


def num_beyond(head_pose_deg: Float, split_deg: float) -> int:
    """Return how many head poses (N, 3) have an angle beyond the last bin."""
    beyond = _unbounded_bins(head_pose_deg, split_deg) >= num_head_bins(split_deg)
    return int(beyond.any(-1).sum())


def _unbounded_bins(head_pose_deg: Float, split_deg: float) -> npt.NDArray[np.int64]:
    is_known = ~np.isnan(head_pose_deg).any(-1, keepdims=True)
    angles = np.abs(np.where(is_known, head_pose_deg, LARGEST_DEG).astype(np.float64))
    return (angles / split_deg).astype(np.int64)


def eye_centred(points: Float) -> npt.NDArray[np.float32]:
    """Return points as the net takes them: relative to the middle between the eyes.

    Args:
        points: (..., 5, 3) [x, y, score], crop-normalised; NaN where not found.

    Returns:
        (..., 15) float32: 5 x and 5 y in crop widths, at most 2 from the middle, and 5 scores of
        at most 1; NaN where not found.
    """
    points = points.astype(np.float64)
    xy = points[..., :2]
    middle = (xy[..., LEFT_EYE, :] + xy[..., RIGHT_EYE, :]) / 2
    offsets = np.clip(xy - middle[..., None, :], -_BOUND, _BOUND)
    scores = np.minimum(points[..., 2], 1.0)
    return np.concatenate([offsets[..., 0], offsets[..., 1], scores], axis=-1, dtype=np.float32)


def mirror_landmarks(landmarks: Landmarks) -> Landmarks:
    """Return what `eye_centred` gives of the mirrored image: x negated, left and right swapped.

    Args:
        landmarks: (..., 15) array or tensor.
    """
    mirrored = landmarks[..., _MIRRORED_VALUES]
    mirrored[..., :5] *= -1
    return mirrored


def clip_landmarks(
    landmarks: npt.NDArray[np.float32], window: npt.NDArray[np.int64], use_neighbours: bool
) -> npt.NDArray[np.float32]:
    """Return the landmarks of clips' middle frames: their own, else the nearest neighbour's.

    Args:
        landmarks: (N, 15) of all frames, of `eye_centred`.
        window: (..., 7) rows of the clips' frames, -1 where there is none.
        use_neighbours: ask them, in the published order -1, +1, -2, +2, +3, -3.

    Returns:
        (..., 15); zeros where no frame has landmarks, as published.
    """
    order = _NEIGHBOUR_ORDER if use_neighbours else [CENTRE]
    candidates = window[..., order]
    usable = (candidates >= 0) & ~np.isnan(landmarks[candidates]).any(-1)
    first = usable.argmax(-1)[..., None]
    rows = np.take_along_axis(candidates, first, -1)[..., 0]
    return np.where(usable.any(-1)[..., None], landmarks[rows], np.float32(0))
