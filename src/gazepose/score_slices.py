"""The numbers of a test by sharpness, face size, head yaw, track length and clip."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import pairwise
from math import inf, isnan
from typing import Any

import polars as pl

from gazepose.map_interval import map_interval
from gazepose.metrics import describe_scores

Slice = dict[str, Any]
UNKNOWN = "unknown"

# Each bin holds its lower edge, not its upper one.
_EDGES: dict[str, tuple[pl.Expr, list[float]]] = {
    "face_size": (
        ((pl.col("x2") - pl.col("x1")) * (pl.col("y2") - pl.col("y1"))).sqrt(),
        [0, 32, 64, 128, 256, inf],
    ),
    "head_yaw": (pl.col("head_yaw_deg").abs(), [0, 15, 30, 45, 60, inf]),
    "track_length": (pl.col("track_length").cast(pl.Float64), [0, 30, 90, 300, 900, inf]),
}


def describe_samples(predictions: pl.DataFrame, num_resamples: int = 1000) -> dict[str, Any]:
    """Return the official numbers of labelled predictions, and how far to trust them.

    Args:
        predictions: columns ``score``, ``label`` (1 or 0) and ``uid``, one row or more.
        num_resamples: of the interval over clips.

    Returns:
        ``num_samples``, ``num_clips``, ``num_positive``; `gazepose.metrics.describe_scores`, None
        for what is not defined; ``interval_over_clips``: low and high end of the 95 % bootstrap
        interval of the mAP, or None (`map_interval`).
    """
    scores, labels = predictions["score"].to_numpy(), predictions["label"].to_numpy()
    interval = map_interval(
        scores, labels, predictions["uid"].to_numpy(), num_resamples=num_resamples
    )
    numbers = describe_scores(scores, labels)
    return {
        "num_samples": len(predictions),
        "num_clips": predictions["uid"].n_unique(),
        "num_positive": int((labels == 1).sum()),
        **{name: _defined(value) for name, value in numbers.items()},
        "interval_over_clips": None if interval is None else asdict(interval),
    }


def score_slices(predictions: pl.DataFrame) -> dict[str, list[Slice]]:
    """Return `describe_samples` of each slice of labelled predictions, with its name as ``slice``.

    ``sharpness``: ``low`` and ``high``, below and above the median of the fitted distribution
    (quantile 0.5). ``face_size``: side of a square as large as the box, in pixels of the video.
    ``head_yaw``: degrees to either side. ``track_length``: frames of the whole track.
    ``clip``: the clip's name. What is not known of a sample puts it into the slice ``unknown``.

    Args:
        predictions: one row or more of `gazepose.results.predictions_table`.
    """
    p = pl.col("sharpness_p")
    half = pl.when(p < 0.5).then(pl.lit("low")).otherwise(pl.lit("high"))
    slices = {"sharpness": _sliced(predictions, pl.when(_is_known(p)).then(half), ["low", "high"])}
    for name, (value, edges) in _EDGES.items():
        slices[name] = _sliced(predictions, *_binned(value, edges))
    clips = predictions["uid"].unique().sort().to_list()
    return slices | {"clip": _sliced(predictions, pl.col("uid"), clips)}


def slice_table(slices: Mapping[str, Sequence[Slice]]) -> pl.DataFrame:
    """Return `score_slices` as one table, a row a slice; empty where there is no value.

    Columns: slice_kind, slice, num_samples, num_clips, num_positive, map, clips_low, clips_high
    (the interval of the mAP over clips), ap_lam, ap_not_lam, accuracy, tn, fp, fn, tp.
    """
    rows = [_flat(kind, item) for kind, items in slices.items() for item in items]
    return pl.DataFrame(rows, schema=_COLUMNS)


_COLUMNS = (
    {"slice_kind": pl.String, "slice": pl.String}
    | dict.fromkeys(("num_samples", "num_clips", "num_positive"), pl.Int64)
    | dict.fromkeys(
        ("map", "clips_low", "clips_high", "ap_lam", "ap_not_lam", "accuracy"), pl.Float64
    )
    | dict.fromkeys(("tn", "fp", "fn", "tp"), pl.Int64)
)


def _is_known(value: pl.Expr) -> pl.Expr:
    return value.is_not_null() & value.is_not_nan()


def _binned(value: pl.Expr, edges: Sequence[float]) -> tuple[pl.Expr, list[str]]:
    """Return the name of a value's bin, null if it is unknown, and all names in their order."""
    names = [f"{low:g}+" if high == inf else f"{low:g}-{high:g}" for low, high in pairwise(edges)]
    bins = value.cut(list(edges[1:-1]), labels=names, left_closed=True).cast(pl.String)
    return pl.when(_is_known(value)).then(bins), names


def _sliced(predictions: pl.DataFrame, name: pl.Expr, order: Sequence[str]) -> list[Slice]:
    named = predictions.with_columns(name.fill_null(UNKNOWN).alias("slice"))
    found = named.partition_by("slice", as_dict=True)
    return [
        {"slice": key, **describe_samples(found[(key,)])}
        for key in (*order, UNKNOWN)
        if (key,) in found
    ]


def _defined(value: Any) -> Any:
    return None if isinstance(value, float) and isnan(value) else value


def _flat(kind: str, item: Slice) -> dict[str, Any]:
    interval = item["interval_over_clips"] or {"low": None, "high": None}
    (tn, fp), (fn, tp) = item["confusion"]
    ends = {f"clips_{end}": value for end, value in interval.items()}
    decisions = {"tn": tn, "fp": fp, "fn": fn, "tp": tp}
    row = {"slice_kind": kind, **item, **ends, **decisions}
    return {name: row[name] for name in _COLUMNS}
