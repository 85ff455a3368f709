"""How far to trust a mean over seeds: resampling of seeds and of clusters of samples."""

from collections.abc import Sequence

import numpy as np

from common.arrays import Float, Ints
from common.evaluation.metrics import Interval
from common.report.samples import Samples

NUM_RESAMPLES = 1000
_CONFIDENCE = 0.95
# Fewer resamples with a value than this say nothing; as of the interval of a single test.
_LEAST_DEFINED = 0.57


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
    times = _cluster_times(num_clusters, generator)
    return [_row_means(row, times, num_clusters, generator) for row in rows]


def interval_of(means: Float | None) -> Interval | None:
    """Return the 95 % percentile interval of resampled values; None if too few are defined."""
    if means is None:
        return None
    defined = means[~np.isnan(means)]
    if len(defined) < _LEAST_DEFINED * len(means):
        return None
    tail = (1 - _CONFIDENCE) / 2
    low, high = np.quantile(defined, [tail, 1 - tail])
    return Interval(float(low), float(high))


def _cluster_times(num_clusters: int, generator: np.random.Generator) -> Ints:
    """Return how often each cluster counts, (R, G); one row of ones if there is one cluster."""
    if num_clusters < 2:
        return np.ones((1, num_clusters), dtype=np.int64)
    drawn = generator.integers(0, num_clusters, (NUM_RESAMPLES, num_clusters))
    return np.stack([np.bincount(each, minlength=num_clusters) for each in drawn])


def _row_means(
    row: Sequence[Samples | None], times: Ints, num_clusters: int, generator: np.random.Generator
) -> Float | None:
    known = [samples for samples in row if samples]
    if not known or len(known) < len(row) or max(len(known), num_clusters) < 2:
        return None
    values = np.stack([samples.measured(times) for samples in known])
    values = np.broadcast_to(values, (len(known), NUM_RESAMPLES))
    drawn = generator.integers(0, len(known), values.shape)
    means: Float = np.take_along_axis(values, drawn, axis=0).mean(axis=0)
    return means
