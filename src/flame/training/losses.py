"""Losses on gaze angles [yaw, pitch] in radians, after de-normalisation.

The argument order is (prediction, target) as everywhere in this suite; the original's classes
take (target, prediction). Both losses are symmetric, so only gradients tell the difference.
"""

import torch
from torch import Tensor

from common.geometry import angular_error, gaze_vector
from common.training.sample_loss import SampleLoss, SampleLosses


class VectorDifferenceLoss(SampleLoss):
    """Squared distance of the unit gaze vectors, the training loss: mean of |v_p - v_t|^2.

    With an angle a between the two it is 2 - 2 cos a: a^2 for small angles, at most 4.
    """

    def of_samples(self, prediction: Tensor, target: Tensor) -> SampleLosses:
        """Return the losses of gazes, (..., 2) predictions and targets in radians."""
        difference = gaze_vector(prediction) - gaze_vector(target)
        return _equally_weighted(difference.square().sum(-1))


class AngularLoss(SampleLoss):
    """Mean angle between two gaze directions in radians, the published measure of error.

    Unlike the original's arc cosine it is exactly zero for equal inputs, never NaN for finite
    ones, and has a finite gradient everywhere (`common.geometry.angular_error`).
    """

    def of_samples(self, prediction: Tensor, target: Tensor) -> SampleLosses:
        """Return the losses of gazes, (..., 2) predictions and targets in radians."""
        return _equally_weighted(angular_error(prediction, target))


def _equally_weighted(losses: Tensor) -> SampleLosses:
    return SampleLosses(losses, torch.ones_like(losses))
