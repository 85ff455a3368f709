"""Losses of the eye-contact line, and of gaze pretraining."""

import torch
import torch.nn.functional as F
from torch import Tensor

from common.training.sample_loss import SampleLoss, SampleLosses


class WeightedCrossEntropy(SampleLoss):
    """Cross entropy whose classes weigh as the other one is frequent.

    The mean is weighted: it divides by the batch's sum of weights, as the original's does, over all
    processes.

    Attributes:
        weight: (2,) of "not looking" and "looking"; ones until `set_weights`.
    """

    weight: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("weight", torch.ones(2))

    def set_weights(self, weights: Tensor) -> None:
        """Take the class weights (2,), positive."""
        self.weight.copy_(weights)

    def of_samples(self, logits: Tensor, label: Tensor) -> SampleLosses:
        """Return the losses of logits (B, 2) and labels (B,) in {0, 1}."""
        losses = F.cross_entropy(logits.float(), label, reduction="none")
        return SampleLosses(losses, self.weight[label])


class PinballLoss(SampleLoss):
    """Gaze360's loss: gaze angles with an uncertainty, as two quantiles around the prediction.

    Kellnhofer et al., "Gaze360", ICCV 2019, section 4: the net predicts an angle and an offset;
    angle - offset should be the 10 % and angle + offset the 90 % quantile.

    Args:
        low: the lower quantile in (0, 0.5); the upper one is its mirror.
        angle_weight: weight of the mean absolute error of the angles, which is added. 0 is the
            published loss: it leaves an angle alone while its error lies within the uncertainty,
            so that a net from scratch first learns how wide its errors are, and angles late.
    """

    def __init__(self, low: float = 0.1, angle_weight: float = 0.0) -> None:
        super().__init__()
        if not 0 < low < 0.5:
            raise ValueError(f"low is {low}, expected a quantile between 0 and 0.5")
        if angle_weight < 0:
            raise ValueError(f"angle_weight is {angle_weight}, expected 0 or more")
        self._low = low
        self._angle_weight = angle_weight

    def of_samples(self, prediction: Tensor, uncertainty: Tensor, target: Tensor) -> SampleLosses:
        """Return losses, means over yaw and pitch, of predictions and targets (B, 2) in radians.

        The uncertainty (B, 1) is an offset in radians, not negative.
        """
        above_low = target - (prediction - uncertainty)
        above_high = target - (prediction + uncertainty)
        losses = (_pinball(above_low, self._low), _pinball(above_high, 1 - self._low))
        angle = self._angle_weight * (prediction - target).abs()
        mean = (losses[0] + losses[1] + angle).mean(-1)
        return SampleLosses(mean, torch.ones_like(mean))


def _pinball(difference: Tensor, quantile: float) -> Tensor:
    return torch.maximum(quantile * difference, (quantile - 1) * difference)
