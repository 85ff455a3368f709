"""The numbers of a test: all in all, and by sharpness, face, head pose, track, clip and source."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import Any

import numpy as np
import polars as pl

from common.evaluation.scores import baseline_maps, clips_are, describe_samples

Slice = dict[str, Any]
UNKNOWN = "unknown"


@dataclass(frozen=True)
class _Bins:
    """Stretches of a value.

    Attributes:
        value: of a sample.
        thresholds: between the bins; each belongs to the bin above.
        names: of the bins, one more than thresholds.
    """

    value: pl.Expr
    thresholds: Sequence[float]
    names: Sequence[str]

    def of(self, predictions: pl.DataFrame) -> pl.Series:
        """Return the name of each sample's bin."""
        values = predictions.select(self.value.cast(pl.Float64)).to_series()
        numbers = np.digitize(values.fill_null(np.nan).to_numpy(), self.thresholds)
        names = pl.Series(np.array(self.names, dtype=object)[numbers], dtype=pl.String)
        return names.set(values.is_null() | values.is_nan(), UNKNOWN)


def _ranges(value: pl.Expr, thresholds: Sequence[float]) -> _Bins:
    inner = [f"{low:g}-{high:g}" for low, high in pairwise([0.0, *thresholds])]
    return _Bins(value, thresholds, [*inner, f"{thresholds[-1]:g}+"])


NUMBERS_OF_SAMPLES = (
    *("x1", "y1", "x2", "y2", "sharpness", "sharpness_p", "head_yaw_deg", "head_pitch_deg"),
    "track_length",
)
"""What slices and baselines need of samples beside names, labels and scores."""
_ANGLES_DEG = [15, 30, 45, 60]
_BINS = {
    "sharpness": _Bins(pl.col("sharpness_p"), [0.5], ["low", "high"]),
    "face_height": _ranges(pl.col("y2") - pl.col("y1"), [48, 64, 128]),
    "face_size": _ranges(
        ((pl.col("x2") - pl.col("x1")) * (pl.col("y2") - pl.col("y1"))).sqrt(), [32, 64, 128, 256]
    ),
    "head_yaw": _ranges(pl.col("head_yaw_deg").abs(), _ANGLES_DEG),
    "head_pitch": _ranges(pl.col("head_pitch_deg").abs(), _ANGLES_DEG),
    "track_length": _ranges(pl.col("track_length"), [30, 90, 300, 900]),
}


def summarise(predictions: pl.DataFrame) -> dict[str, Any]:
    """Return the numbers of all samples (`describe_samples`), baselines, and numbers by slice.

    ``clips_are`` says what its clips are, as `clips_are` does. Predictions are labelled rows as a
    test of eye contact writes them, at least one.
    """
    return {
        **describe_samples(predictions),
        "clips_are": clips_are(predictions),
        "baselines": baseline_maps(predictions),
        "by": score_slices(predictions),
    }


def score_slices(predictions: pl.DataFrame) -> dict[str, list[Slice]]:
    """Return `describe_samples` of each slice of labelled predictions, with its name as ``slice``.

    ``sharpness``: ``low`` and ``high``, below and above the median of the fitted distribution
    (quantile 0.5). ``face_height``: of the box, in pixels of the video or photo; ``face_size``:
    side of a square as large as the box. ``head_yaw``: degrees to either side; ``head_pitch``: up
    or down. ``track_length``: frames of the whole track. ``clip``: the clip's name, or what else
    ``uid`` is. ``source``: collection of photos, where a sample has one. What is not known of a
    sample puts it into the slice ``unknown``.
    """
    slices = {
        kind: _sliced(predictions, bins.of(predictions), bins.names) for kind, bins in _BINS.items()
    }
    named = {"clip": predictions["uid"]}
    if "source" in predictions.columns and predictions["source"].is_not_null().any():
        named["source"] = predictions["source"].fill_null(UNKNOWN)
    orders = {kind: names.unique().sort().to_list() for kind, names in named.items()}
    return slices | {
        kind: _sliced(predictions, names, [name for name in orders[kind] if name != UNKNOWN])
        for kind, names in named.items()
    }


def slice_table(slices: Mapping[str, Sequence[Slice]]) -> pl.DataFrame:
    """Return `score_slices` as one table, a row a slice; empty where there is no value.

    ``clips_low`` and ``clips_high`` are the interval of the mAP over clips.
    """
    rows = [
        {
            **{"slice_kind": kind, **item},
            **{f"clips_{end}": value for end, value in (item["interval_over_clips"] or {}).items()},
            **dict(zip(("tn", "fp", "fn", "tp"), chain(*item["confusion"]), strict=True)),
        }
        for kind, items in slices.items()
        for item in items
    ]
    return pl.DataFrame(rows, schema=_COLUMNS, infer_schema_length=None)


_COLUMNS = (
    *("slice_kind", "slice", "num_samples", "num_clips", "num_positive", "map", "clips_low"),
    *("clips_high", "ap_lam", "ap_not_lam", "accuracy", "tn", "fp", "fn", "tp"),
)


def _sliced(predictions: pl.DataFrame, names: pl.Series, order: Sequence[str]) -> list[Slice]:
    named = predictions.with_columns(names.alias("slice"))
    found = named.partition_by("slice", as_dict=True)
    return [
        {"slice": name, **describe_samples(found[(name,)])}
        for name in (*order, UNKNOWN)
        if (name,) in found
    ]
