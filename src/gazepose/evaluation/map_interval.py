"""How far to trust an mAP, or another number of a test: its bootstrap interval over clips."""

from collections.abc import Callable
from typing import Any

import numpy as np

from common.arrays import Array, Float, Ints
from common.evaluation.average_precision import checked, rank_lam, rank_not_lam
from common.evaluation.metrics import Interval

# Two clips of one class each give 0.50, many clips of which one holds all positives 0.63.
_LEAST_DEFINED = 0.57


def map_interval(scores: Float, labels: Ints, clips: Array, **options: Any) -> Interval | None:
    """Return `interval_over_clips` of the mAP.

    Args:
        scores: (N,) of looking at the camera, finite.
        labels: (N,) 1 looks at the camera, 0 not.
        clips: (N,) which clip a sample is of.
        options: of `interval_over_clips`.

    Raises:
        ValueError: If lengths differ, a score is not finite, or a label is neither 0 nor 1.
    """
    scores, labels = checked(scores, labels)

    def of_resamples(numbers: Ints, times: Ints) -> Float:
        rankings = [rank(scores, labels) for rank in (rank_lam, rank_not_lam)]
        values = [ranking.average_precisions(numbers, times) for ranking in rankings]
        mean: Float = np.mean(values, axis=0)
        return mean

    return interval_over_clips(of_resamples, clips, **options)


def interval_over_clips(
    of_resamples: Callable[[Ints, Ints], Float],
    clips: Array,
    *,
    confidence: float = 0.95,
    num_resamples: int = 1000,
    seed: int = 0,
) -> Interval | None:
    """Return the percentile interval of a number under resampling of whole clips.

    Frames of one clip show the same people in the same light, so an interval over samples would be
    too narrow as a statement about new clips. A resample counts every sample of a clip as often as
    the clip is drawn. Resamples in which the number is not defined, as an mAP without a sample of a
    class, are left out.

    Args:
        of_resamples: takes the number (N,) of each sample's clip, and how often each clip counts
            (R, C) in R resamples; returns the resamples' values (R,), nan where not defined.
        clips: (N,) which clip a sample is of.
        confidence: coverage of the interval, in (0, 1).
        num_resamples: bootstrap samples.
        seed: of the resampling.

    Returns:
        The interval; None for fewer than two clips, and where so many resamples have no value that
        the others say nothing: all samples of one class, or two clips of one class each.
    """
    numbers = np.unique(clips, return_inverse=True)[1]
    num_clips = numbers.max(initial=-1) + 1
    if num_clips < 2:
        return None
    drawn = np.random.default_rng(seed).integers(0, num_clips, (num_resamples, num_clips))
    times = np.stack([np.bincount(each, minlength=num_clips) for each in drawn])
    values = of_resamples(numbers, times)
    defined = values[~np.isnan(values)]
    if len(defined) < max(1, _LEAST_DEFINED * num_resamples):
        return None
    tail = (1 - confidence) / 2
    low, high = np.quantile(defined, [tail, 1 - tail])
    return Interval(float(low), float(high))
