"""A test's predictions, as far as its measure under resampling of whole clusters needs them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from common.evaluation.average_precision import Float, Ints, checked, rank_lam, rank_not_lam


@dataclass(frozen=True)
class Samples:
    """Samples in clusters that are drawn as a whole: clips, or people.

    Attributes:
        clusters: their names, sorted.
        measured: the measure, as the summary stores it, where every cluster counts as often as
            said: (R, G) times of R weightings -> (R,); nan where it is not defined.
    """

    clusters: tuple[str, ...]
    measured: Callable[[Ints], Float]


def mean_of_samples(values: Float, clusters: npt.NDArray[Any]) -> Samples:
    """Return samples measured by the mean of their values.

    Args:
        values: (N,) of the samples.
        clusters: (N,) names.
    """
    names, labels = np.unique(clusters, return_inverse=True)
    counts = np.bincount(labels)
    sums = np.bincount(labels, weights=values)
    return Samples(tuple(map(str, names)), lambda times: (times @ sums) / (times @ counts))


def map_of_samples(scores: Float, labels: Ints, clusters: npt.NDArray[Any]) -> Samples:
    """Return samples measured by the mean of both classes' average precisions.

    Args:
        scores: (N,) of the class with label 1.
        labels: (N,) 1 or 0.
        clusters: (N,) names.
    """
    scores, labels = checked(scores, labels)
    names, numbers = np.unique(clusters, return_inverse=True)
    rankings = (rank_lam(scores, labels), rank_not_lam(scores, labels))

    def measured(times: Ints) -> Float:
        of_classes = [ranking.average_precisions(numbers, times) for ranking in rankings]
        mean: Float = np.mean(of_classes, axis=0)
        return mean

    return Samples(tuple(map(str, names)), measured)


def read_gaze_samples(summary_path: Path) -> Samples | None:
    """Return the errors of a test of gaze angles by subject; None without its predictions."""
    path = summary_path.with_suffix(".csv")
    if not path.is_file():
        return None
    table = pl.read_csv(path, columns=["loss_3d", "subject"], schema_overrides={"subject": pl.Utf8})
    return mean_of_samples(table["loss_3d"].to_numpy(), table["subject"].to_numpy())


def read_eye_contact_samples(summary_path: Path) -> Samples | None:
    """Return the scores of a test of eye contact by clip; None without its predictions."""
    path = summary_path.with_name(f"{summary_path.stem}_predictions.parquet")
    if not path.is_file():
        return None
    table = pl.read_parquet(path, columns=["uid", "label", "score"]).filter(pl.col("label") >= 0)
    columns = (table[name].to_numpy() for name in ("score", "label", "uid"))
    return map_of_samples(*columns)
