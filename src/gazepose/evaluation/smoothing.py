"""Scores of a track, smoothed in time."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import polars as pl
from numpy.lib.stride_tricks import sliding_window_view

from common.arrays import Bools, Float, Ints
from common.config.recordable import recordable
from gazepose.submission.official_csv import check_scores

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
    def reach_frames(self) -> int:
        """How far away a score may be that changes another."""
        return int(_REACH.get(self.kind, 0) * self.width_frames)

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
        known = predictions.select(*_TRACK, "frame", pl.col("score").cast(pl.Float64))
        ordered = known.with_row_index("place").sort(*_TRACK, "frame", "place")
        smoothed = np.empty(len(ordered))
        smoothed[ordered["place"].to_numpy()] = self._smoothed(ordered)
        return predictions.with_columns(pl.Series("score", smoothed))

    def _smoothed(self, ordered: pl.DataFrame) -> Float:
        reach_frames = self.reach_frames
        places = _places(ordered, self.max_gap_frames, reach_frames)
        # So many rows up and down lies the farthest one within reach of any.
        num_rows = np.arange(len(places)) - np.searchsorted(places, places - reach_frames)
        num = int(num_rows.max())
        ends = (num, num)
        far = places[-1] + reach_frames + 1
        around = sliding_window_view(np.pad(places, ends, constant_values=far), 2 * num + 1)
        scores = sliding_window_view(np.pad(ordered["score"].to_numpy(), ends), 2 * num + 1)
        parts = []
        for start in range(0, len(places), _NUM_ROWS_AT_ONCE):
            rows = slice(start, start + _NUM_ROWS_AT_ONCE)
            distance = around[rows] - places[rows, None]
            parts.append(self._mean(scores[rows], distance, np.abs(distance) <= reach_frames))
        return np.concatenate(parts)

    def _mean(self, scores: Float, distance: Ints, is_near: Bools) -> Float:
        if self.kind == "median":
            return np.asarray(np.nanmedian(np.where(is_near, scores, np.nan), axis=1))
        sigma_frames = self.width_frames * _SIGMA_PER_WIDTH
        weights = np.where(is_near, np.exp(-0.5 * (distance / sigma_frames) ** 2), 0.0)
        return np.asarray((weights * scores).sum(axis=1) / weights.sum(axis=1))


def _places(ordered: pl.DataFrame, max_gap_frames: int, reach_frames: int) -> Ints:
    """Return the frames, ascending: behind each track and each gap farther than any reach."""
    is_joined = pl.all_horizontal(pl.col(name) == pl.col(name).shift() for name in _TRACK) & (
        pl.col("frame").diff() <= max_gap_frames
    )
    steps = pl.when(is_joined).then(pl.col("frame").diff()).otherwise(reach_frames + 1)
    return ordered.select(steps.cast(pl.Int64).cum_sum()).to_series().to_numpy()
