"""Losses on gaze angles [yaw, pitch] in radians, after de-normalisation.

The argument order is (prediction, target) as everywhere in this suite; the original's classes
take (target, prediction). Both losses are symmetric, so only gradients tell the difference.
"""

from __future__ import annotations

from torch import Tensor, nn

from common.geometry import angular_error, gaze_vector


class VectorDifferenceLoss(nn.Module):
    """Squared distance of the unit gaze vectors, the training loss: mean of |v_p - v_t|^2.

    With an angle a between the two it is 2 - 2 cos a: a^2 for small angles, at most 4.
    """

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Return the mean over all gazes of (..., 2) predictions and targets in radians."""
        difference = gaze_vector(prediction) - gaze_vector(target)
        return difference.square().sum(-1).mean()


class AngularLoss(nn.Module):
    """Mean angle between two gaze directions in radians, the published measure of error.

    Unlike the original's arc cosine it is exactly zero for equal inputs, never NaN for finite
    ones, and has a finite gradient everywhere (`common.geometry.angular_error`).
    """

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Return the mean over all gazes of (..., 2) predictions and targets in radians."""
        return angular_error(prediction, target).mean()
