"""What losses of both lines have in common: they are weighted means over samples."""

from abc import ABC, abstractmethod
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torchmetrics import Metric

from common.training.distributed import mean_over_processes


class SampleLosses(NamedTuple):
    """Losses of samples, and how much each counts."""

    losses: Tensor  # (B,)
    weights: Tensor  # (B,)

    def mean(self) -> Tensor:
        """Return the weighted mean over all processes' samples, or this process's part of it.

        See `mean_over_processes`; a process that trains alone gets the mean.
        """
        return mean_over_processes(self.losses, self.weights)


class SampleLoss(nn.Module, ABC):
    """A loss that is the weighted mean of what it is for each sample."""

    @abstractmethod
    def of_samples(self, *args: Any) -> SampleLosses:
        """Return the samples' losses and weights; called as the loss is."""

    def forward(self, *args: Any) -> Tensor:
        """Return their mean."""
        return self.of_samples(*args).mean()


class MeanLoss(Metric):
    """Weighted mean of the losses of all samples it was shown, also over processes."""

    is_differentiable = False
    higher_is_better = False
    full_state_update = False
    total: Tensor
    weight: Tensor

    def __init__(self) -> None:
        super().__init__()
        for name in ("total", "weight"):
            self.add_state(name, default=torch.tensor(0.0), dist_reduce_fx="sum")

    def update(self, losses: Tensor, weights: Tensor) -> None:
        """Add samples: `SampleLosses`, unpacked."""
        self.total += (losses * weights).sum().detach()
        self.weight += weights.sum()

    def compute(self) -> Tensor:
        """Return the mean; nan of no sample."""
        return self.total / self.weight
