"""The error of a test by subject, head pose and gaze angle."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import polars as pl

from common.arrays import Array, Float
from common.evaluation.resampling import bootstrap_interval
from common.listing import slice_name

Slice = dict[str, Any]

BIN_WIDTH_DEG = {"head_yaw": 15.0, "head_pitch": 15.0, "yaw_t": 5.0, "pitch_t": 5.0}


def describe_errors(errors_deg: Float, subjects: Array) -> dict[str, Any]:
    """Return number, mean, deviation and 95 % bootstrap intervals of the mean; degrees.

    The deviation is the sample's (n - 1), as the original reports it. The interval over subjects
    resamples whole people; it is None for a single one, as is the deviation of a single sample.
    Errors and whose they are are (N,).
    """
    return {
        "num_samples": len(errors_deg),
        "mean_deg": float(errors_deg.mean()),
        "std_deg": float(errors_deg.std(ddof=1)) if len(errors_deg) > 1 else None,
        "interval_over_samples_deg": asdict(bootstrap_interval(errors_deg)),
        "interval_over_subjects_deg": subject_interval(errors_deg, subjects),
    }


def subject_interval(errors_deg: Float, subjects: Array) -> dict[str, float] | None:
    """Return the mean's 95 % bootstrap interval over whole people; None for a single one."""
    if len(np.unique(subjects)) < 2:
        return None
    return asdict(bootstrap_interval(errors_deg, clusters=subjects))


def error_slices(results: pl.DataFrame) -> dict[str, list[Slice]]:
    """Return the error by subject and by bins of head pose and gaze: `describe_errors` of each.

    A bin is named by its centre in degrees; its width is in `BIN_WIDTH_DEG`. Head pitch is
    positive downwards, gaze pitch upwards (`common.geometry`). A row of `results` is a prediction
    (`flame.evaluation.callback.results_table`).
    """
    slices = {"subject": _grouped(results, pl.col("subject"))}
    for name, width in BIN_WIDTH_DEG.items():
        # Rounding away float dust first, so that -15 deg sits in the middle of its bin.
        number = (pl.col(name).round(3) / width).round().cast(pl.Int64)
        bins = _grouped(results, number)
        slices[name] = [item | {"slice": item["slice"] * width} for item in bins]
    return slices


def slice_table(slices: Mapping[str, Sequence[Slice]]) -> pl.DataFrame:
    """Return `error_slices` as one table, a row a slice, intervals in columns of their own.

    An interval over samples is in ``samples_low_deg`` and ``samples_high_deg``, one over subjects
    likewise; empty where there is no value.
    """
    rows = [
        {
            "slice_kind": kind,
            "slice": slice_name(item["slice"]),
            **{name: item[name] for name in ("num_samples", "mean_deg", "std_deg")},
            **{
                f"{over}_{end}_deg": (item[f"interval_over_{over}_deg"] or {}).get(end)
                for over in ("samples", "subjects")
                for end in ("low", "high")
            },
        }
        for kind, items in slices.items()
        for item in items
    ]
    return pl.DataFrame(rows, infer_schema_length=None)


def _grouped(results: pl.DataFrame, key: pl.Expr) -> list[Slice]:
    groups = results.select(key.alias("slice"), "loss_3d", who="subject").partition_by(
        "slice", as_dict=True
    )
    return [
        {"slice": value} | describe_errors(rows["loss_3d"].to_numpy(), rows["who"].to_numpy())
        for (value,), rows in sorted(groups.items())
    ]
