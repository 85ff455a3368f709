"""Errors over a data set."""

import torch
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.utilities import dim_zero_cat

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
