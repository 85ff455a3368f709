"""A test's predictions, as far as its measure under resampling of whole clusters needs them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from common.arrays import Array, Float, Ints
from common.evaluation.average_precision import checked, rank_lam, rank_not_lam


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


def mean_of_samples(values: Float, clusters: Array) -> Samples:
    """Return samples measured by the mean of their values.

    Args:
        values: (N,) of the samples.
        clusters: (N,) names.
    """
    names, labels = np.unique(clusters, return_inverse=True)
    counts = np.bincount(labels)
    sums = np.bincount(labels, weights=values)
    return Samples(tuple(map(str, names)), lambda times: (times @ sums) / (times @ counts))


def map_of_samples(scores: Float, labels: Ints, clusters: Array) -> Samples:
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
