"""Scores of a track, smoothed in time."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import polars as pl

from common.arrays import Bools
from common.config.recordable import recordable
from gazepose.submission.official_csv import check_scores

Float = npt.NDArray[np.float64]
Kind = Literal["none", "median", "gaussian"]

_TRACK = ["uid", "trackid"]
_SIGMA_PER_WIDTH = 1 / np.sqrt(8 * np.log(2))
# Where a Gaussian's tail ends, in half widths: 3.5 standard deviations.
_REACH = {"median": 0.5, "gaussian": 3.5 * _SIGMA_PER_WIDTH}
_NUM_ROWS_AT_ONCE = 65536


@recordable
@dataclass(frozen=True)
class TrackSmoothing:
    """Replaces each score by the median or a Gaussian mean of its track's scores around it.

    Distance is counted in frames of the video, not in predictions: with a test stride above the
    width nothing is near enough to change anything.

    Attributes:
        kind: ``none`` leaves the scores as they are.
        width_frames: ``median``: length of the window, an odd number; a window that a track's end
            cuts is shorter. ``gaussian``: full width at half maximum, 2.355 standard deviations.
        max_gap_frames: predictions further apart than this are never smoothed across: the face was
            away in between.

    Raises:
        ValueError: If the kind is unknown or a number makes no sense.
    """

    kind: Kind = "none"
    width_frames: int = 5
    max_gap_frames: int = 15

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise ValueError(f"smoothing kind is {self.kind!r}, expected one of {get_args(Kind)}")
        if self.width_frames < 1 or (self.kind == "median" and self.width_frames % 2 == 0):
            odd = "an odd number" if self.kind == "median" else "a number"
            raise ValueError(f"width_frames is {self.width_frames}, expected {odd} from 1 on")
        if self.max_gap_frames < 1:
            raise ValueError(f"max_gap_frames is {self.max_gap_frames}, expected 1 or more")

    @property
    def description(self) -> str | None:
        """In words, for tables; None if nothing is smoothed."""
        return None if self.kind == "none" else f"{self.kind}, {self.width_frames} frames"

    def __call__(self, predictions: pl.DataFrame) -> pl.DataFrame:
        """Return predictions with smoothed scores, all else and the order unchanged.

        Raises:
            ValueError: If a score is no number, as `check_scores`: its neighbours would be none.
        """
        if self.kind == "none" or predictions.is_empty():
            return predictions
        check_scores(predictions)
        ordered = predictions.select(*_TRACK, "frame", "score").with_row_index("place")
        ordered = ordered.sort(*_TRACK, "frame", "place")
        smoothed = np.empty(len(ordered))
        smoothed[ordered["place"].to_numpy()] = self._smoothed(
            ordered["score"].to_numpy().astype(np.float64),
            ordered["frame"].to_numpy().astype(np.int64),
            _stretches(ordered, self.max_gap_frames),
        )
        return predictions.with_columns(pl.Series("score", smoothed))

    def _smoothed(
        self, scores: Float, frames: npt.NDArray[np.int64], stretches: npt.NDArray[np.int64]
    ) -> Float:
        reach_frames = int(_REACH[self.kind] * self.width_frames)
        offsets = _offsets(frames, stretches, reach_frames)
        parts = []
        for start in range(0, len(scores), _NUM_ROWS_AT_ONCE):
            rows = np.arange(start, min(start + _NUM_ROWS_AT_ONCE, len(scores)))
            around = np.clip(rows[:, None] + offsets, 0, len(scores) - 1)
            distance = frames[around] - frames[rows, None]
            is_near = (
                (np.abs(distance) <= reach_frames)
                & (stretches[around] == stretches[rows, None])
                & (around == rows[:, None] + offsets)
            )
            parts.append(self._mean(scores[around], distance, is_near))
        return np.concatenate(parts)

    def _mean(self, scores: Float, distance: npt.NDArray[np.int64], is_near: Bools) -> Float:
        if self.kind == "median":
            return _row_medians(scores, is_near)
        sigma_frames = self.width_frames * _SIGMA_PER_WIDTH
        weights = np.where(is_near, np.exp(-0.5 * (distance / sigma_frames) ** 2), 0.0)
        mean: Float = (weights * scores).sum(axis=1) / weights.sum(axis=1)
        return mean


def _stretches(ordered: pl.DataFrame, max_gap_frames: int) -> npt.NDArray[np.int64]:
    """Return a number for each row that changes with the track and at every gap."""
    is_same_track = pl.all_horizontal(pl.col(name) == pl.col(name).shift() for name in _TRACK)
    is_joined = is_same_track & (pl.col("frame").diff() <= max_gap_frames)
    numbers: npt.NDArray[np.int64] = (
        ordered.select((~is_joined).fill_null(True).cast(pl.Int64).cum_sum()).to_series().to_numpy()
    )
    return numbers


def _offsets(
    frames: npt.NDArray[np.int64], stretches: npt.NDArray[np.int64], reach_frames: int
) -> npt.NDArray[np.int64]:
    """Return how far up and down any row finds rows within reach, as row offsets from -K to K."""
    largest = 0
    while True:
        step = largest + 1
        is_near = (frames[step:] - frames[:-step] <= reach_frames) & (
            stretches[step:] == stretches[:-step]
        )
        if not is_near.any():
            return np.arange(-largest, largest + 1)
        largest = step


def _row_medians(values: Float, is_taken: Bools) -> Float:
    """Return the median of what is taken of each row; at least one value is."""
    ordered = np.sort(np.where(is_taken, values, np.inf), axis=1)
    count, rows = is_taken.sum(axis=1), np.arange(len(values))
    middle: Float = (ordered[rows, (count - 1) // 2] + ordered[rows, count // 2]) / 2
    return middle
