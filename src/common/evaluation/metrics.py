"""Errors over a data set, and how far to trust their mean."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.utilities import dim_zero_cat

from common.arrays import Array, Float
from common.geometry import angular_error


class AngularError(Metric):
    """Mean angle between predicted and true gaze, in degrees; exact, also over processes."""

    is_differentiable = False
    higher_is_better = False
    full_state_update = False
    errors_deg: list[Tensor]

    def __init__(self) -> None:
        super().__init__()
        self.add_state("errors_deg", default=[], dist_reduce_fx="cat")

    def update(self, prediction: Tensor, target: Tensor) -> None:
        """Add samples: (B, 2) [yaw, pitch] in radians each."""
        error_rad = angular_error(prediction.float(), target.float())
        self.errors_deg.append(torch.rad2deg(error_rad))

    def compute(self) -> Tensor:
        """Return the mean error in degrees."""
        errors_deg = dim_zero_cat(self.errors_deg)
        # On the CPU, because MPS has no float64.
        return errors_deg.cpu().double().mean().float().to(errors_deg.device)


@dataclass(frozen=True)
class Interval:
    """A bootstrap percentile interval."""

    low: float
    high: float


def bootstrap_interval(
    values: Float,
    *,
    clusters: Array | None = None,
    confidence: float = 0.95,
    num_resamples: int = 2000,
    seed: int = 0,
) -> Interval:
    """Return the percentile interval of the mean under resampling.

    Frames of one person err alike, so an interval over samples is too narrow as a statement
    about new people; give the subjects as clusters to resample whole people.

    Args:
        values: (N,) values whose mean is judged.
        clusters: (N,) what is resampled as a whole; single values if None.
        confidence: coverage of the interval, in (0, 1).
        num_resamples: bootstrap samples.
        seed: of the resampling.

    Raises:
        ValueError: If there is no value.
    """
    if not len(values):
        raise ValueError("no values: expected at least one to bootstrap")
    sums, counts = _cluster_sums(np.asarray(values, dtype=np.float64), clusters)
    generator = np.random.default_rng(seed)
    means = np.empty(num_resamples)
    for number in range(num_resamples):
        drawn = generator.integers(0, len(sums), len(sums))
        means[number] = sums[drawn].sum() / counts[drawn].sum()
    tail = (1 - confidence) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return Interval(float(low), float(high))


def _cluster_sums(values: Float, clusters: Array | None) -> tuple[Float, Float]:
    if clusters is None:
        return values, np.ones(len(values))
    labels = np.unique(clusters, return_inverse=True)[1]
    counts = np.bincount(labels).astype(np.float64)
    sums = np.bincount(labels, weights=values).astype(np.float64)
    return sums, counts
