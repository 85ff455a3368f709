"""How the looks of a track agree with the true ones, as events in time."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from common.evaluation.events import MIN_IOU, Event, events_of, matched

# Sparser frames tell neither when a look began nor whether it was one.
MAX_STRIDE = 3


def event_numbers(
    predictions: pl.DataFrame, threshold: float, stride_frames: int, fps_hz: float | None
) -> dict[str, Any] | None:
    """Return how the looks at a threshold agree with the true ones, of all tracks together.

    A look is an event of `common.evaluation.events`; a true and a predicted one are the same if
    they are `matched`. Predictions are labelled, strides in frames of the video.

    Returns:
        ``time_resolution_s``: from one judged frame to the next; ``min_iou``; ``num_true``,
        ``num_predicted``, ``num_matched``; ``precision``, ``recall``, ``f1``;
        ``onset_difference_s`` and ``duration_difference_s``: mean absolute ones of those matched;
        ``true_per_minute`` and ``predicted_per_minute``: of judged time, tracks together. None for
        what is not defined. None in all where the rate is not known, frames are further apart than
        `MAX_STRIDE`, or no track has two of them.
    """
    tracks = predictions.partition_by("uid", "trackid")
    if fps_hz is None or stride_frames > MAX_STRIDE or all(track.height < 2 for track in tracks):
        return None
    resolution_s = stride_frames / fps_hz
    looks = [_looks(track.sort("frame"), threshold, stride_frames) for track in tracks]
    num_true, num_predicted = (sum(len(each[which]) for each in looks) for which in range(2))
    pairs = [pair for true, said in looks for pair in matched(true, said, stride_frames)]
    minutes = predictions.height * resolution_s / 60
    return {
        "time_resolution_s": resolution_s,
        "min_iou": MIN_IOU,
        "num_true": num_true,
        "num_predicted": num_predicted,
        "num_matched": len(pairs),
        "precision": len(pairs) / num_predicted if num_predicted else None,
        "recall": len(pairs) / num_true if num_true else None,
        "f1": 2 * len(pairs) / (num_true + num_predicted) if num_true + num_predicted else None,
        "onset_difference_s": _mean([abs(a[0] - b[0]) / fps_hz for a, b in pairs]),
        "duration_difference_s": _mean([abs(_reach(a) - _reach(b)) / fps_hz for a, b in pairs]),
        "true_per_minute": num_true / minutes,
        "predicted_per_minute": num_predicted / minutes,
    }


def _looks(track: pl.DataFrame, threshold: float, stride: int) -> tuple[list[Event], list[Event]]:
    """Return the true and the predicted looks of a track, its frames in order."""
    is_true, is_said = track["label"] == 1, track["score"] >= threshold
    true, said = (events_of(track["frame"].filter(mask), stride) for mask in (is_true, is_said))
    return true, said


def _reach(event: Event) -> int:
    return event[1] - event[0]


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None
