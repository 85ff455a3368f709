"""How far to trust a number: bootstrap percentile intervals, resampling whole clusters of samples.

Frames of one person or clip err alike, so an interval over samples is too narrow as a statement
about new people; what is resampled as a whole is called a cluster.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from common.arrays import Array, Float, Ints
from common.evaluation.average_precision import checked, rank_lam, rank_not_lam

NUM_RESAMPLES = 1000
# Fewer resamples with a value than this say nothing: two clips of one class each give 0.50, many
# clips of which one holds all positives 0.63.
_LEAST_DEFINED = 0.57
# Numbers drawn at once.
_LARGEST_DRAW = 1 << 20


@dataclass(frozen=True)
class Interval:
    """A bootstrap percentile interval."""

    low: float
    high: float


@dataclass(frozen=True)
class Samples:
    """Samples in clusters that are drawn as a whole: clips, or people.

    Attributes:
        clusters: their names, sorted.
        measured: the measure, as a summary stores it, where every cluster counts as often as
            said: (R, G) times of R weightings -> (R,); nan where it is not defined.
    """

    clusters: tuple[str, ...]
    measured: Callable[[Ints], Float]


def mean_of_samples(values: Float, clusters: Array) -> Samples:
    """Return samples (N,), of clusters named (N,), measured by the mean of their values."""
    names, sums, counts = _cluster_sums(values, clusters)
    return Samples(names, lambda times: (times @ sums) / (times @ counts))


def map_of_samples(scores: Float, labels: Ints, clusters: Array) -> Samples:
    """Return samples measured by the mean of both classes' average precisions.

    Args:
        scores: (N,) of looking at the camera, finite.
        labels: (N,) 1 looks at the camera, 0 not.
        clusters: (N,) names.

    Raises:
        ValueError: If lengths differ, a score is not finite, or a label is neither 0 nor 1.
    """
    scores, labels = checked(scores, labels)
    names, numbers = np.unique(clusters, return_inverse=True)
    rankings = (rank_lam(scores, labels), rank_not_lam(scores, labels))

    def measured(times: Ints) -> Float:
        of_classes = [ranking.average_precisions(numbers, times) for ranking in rankings]
        mean: Float = np.mean(of_classes, axis=0)
        return mean

    return Samples(tuple(map(str, names)), measured)


def cluster_interval(
    samples: Samples,
    *,
    confidence: float = 0.95,
    num_resamples: int = NUM_RESAMPLES,
    seed: int = 0,
) -> Interval | None:
    """Return the interval of a measure; None for fewer than two clusters, or as `interval_of`."""
    if len(samples.clusters) < 2:
        return None
    generator = np.random.default_rng(seed)
    times = _cluster_times(len(samples.clusters), num_resamples, generator)
    return interval_of(samples.measured(times), confidence)


def interval_of(values: Float, confidence: float = 0.95) -> Interval | None:
    """Return the percentile interval of a number in resamples.

    Args:
        values: (R,); nan where the number is not defined, as an mAP without a sample of a class:
            such resamples are left out.
        confidence: coverage of the interval, in (0, 1).

    Returns:
        The interval; None where so many resamples have no value that the others say nothing: all
        samples of one class, or two clips of one class each.
    """
    defined = values[~np.isnan(values)]
    if len(defined) < _LEAST_DEFINED * len(values):
        return None
    tail = (1 - confidence) / 2
    low, high = np.quantile(defined, [tail, 1 - tail])
    return Interval(float(low), float(high))


def bootstrap_interval(
    values: Float,
    *,
    clusters: Array | None = None,
    confidence: float = 0.95,
    num_resamples: int = 2000,
    seed: int = 0,
) -> Interval:
    """Return the interval of a mean.

    Args:
        values: (N,) values whose mean is judged, one or more, finite.
        clusters: (N,) what is resampled as a whole; single values if None.
        confidence: coverage of the interval, in (0, 1).
        num_resamples: bootstrap samples.
        seed: of the resampling.
    """
    _, sums, counts = _cluster_sums(
        values, np.arange(len(values)) if clusters is None else clusters
    )
    generator = np.random.default_rng(seed)
    means = np.empty(num_resamples)
    # Single values are too many for a table of all draws.
    step = max(_LARGEST_DRAW // len(sums), 1)
    for start in range(0, num_resamples, step):
        some = means[start : start + step]
        drawn = generator.integers(0, len(sums), (len(some), len(sums)))
        some[:] = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    interval = interval_of(means, confidence)
    assert interval is not None
    return interval


def resampled_means(rows: Sequence[Sequence[Samples | None]], seed: int = 0) -> list[Float | None]:
    """Return each row's mean over seeds in resamples of the samples' clusters and of the seeds.

    All rows see the same draws of clusters, so that the difference of two rows in a resample is
    that on the same clips or people. Seeds are drawn for each row by itself: seed 1 of one net has
    nothing to do with seed 1 of another.

    Args:
        rows: a row's tests, one a seed.
        seed: of the resampling.

    Returns:
        (`NUM_RESAMPLES`,) of each row, nan where the measure is not defined; None for a row that
        lacks predictions or has neither two seeds nor two clusters to draw from, and for all rows
        if their predictions are not of the same clusters.
    """
    found = {samples.clusters for row in rows for samples in row if samples}
    if len(found) > 1:
        return [None] * len(rows)
    num_clusters = len(next(iter(found), ()))
    generator = np.random.default_rng(seed)
    # A single cluster counts once, whatever is drawn.
    times: Ints = np.ones((1, num_clusters), dtype=np.int64)
    if num_clusters > 1:
        times = _cluster_times(num_clusters, NUM_RESAMPLES, generator)
    return [_row_means(row, times, generator) for row in rows]


def _cluster_sums(values: Float, clusters: Array) -> tuple[tuple[str, ...], Float, Float]:
    """Return names of the clusters, and sums and numbers of their values."""
    names, numbers = np.unique(clusters, return_inverse=True)
    sums, counts = (np.bincount(numbers, each).astype(np.float64) for each in (values, None))
    return tuple(map(str, names)), sums, counts


def _cluster_times(num_clusters: int, num_resamples: int, generator: np.random.Generator) -> Ints:
    """Return how often each cluster counts in each resample, (R, G)."""
    drawn = generator.integers(0, num_clusters, (num_resamples, num_clusters))
    return np.stack([np.bincount(each, minlength=num_clusters) for each in drawn])


def _row_means(
    row: Sequence[Samples | None], times: Ints, generator: np.random.Generator
) -> Float | None:
    known = [samples for samples in row if samples]
    if not known or len(known) < len(row) or max(len(known), times.shape[1]) < 2:
        return None
    values = np.stack([samples.measured(times) for samples in known])
    values = np.broadcast_to(values, (len(known), NUM_RESAMPLES))
    drawn = generator.integers(0, len(known), values.shape)
    means: Float = np.take_along_axis(values, drawn, axis=0).mean(axis=0)
    return means
