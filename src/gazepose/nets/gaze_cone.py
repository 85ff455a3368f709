"""Eye contact by gaze: how probable is a gaze into a cone about the camera?

The weights are Gaze360's, or of a pretraining on gaze (``init_part: all``): it can tell eye contact
before it has seen a label of it.
"""

import math

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from gazepose.nets.backbones import Backbone
from gazepose.nets.gaze360 import gaze_estimate
from gazepose.nets.parts import Classifier, ClipNet, asked_prior

# An uncertainty holds 80 % of errors; 10 % of a logistic distribution lie beyond ln 9 scales.
_SCALES_IN_UNCERTAINTY = math.log(9)
_SCALES_IN_DEVIATION = math.sqrt(3) / math.pi
_LARGEST_LOG = -1e-6


class GazeCone(ClipNet):
    """Gaze360's net, the head's direction, and a cone.

    The gaze is drawn toward the head's direction by how sure either is: people seldom turn their
    eyes far, and the head is what can be seen of a small or blurred face. Errors of yaw and pitch
    are taken as independent and logistic. The head's angles come without signs and count to the
    gaze's side; an unknown head is, as published, one turned away by 90 degrees.

    Args:
        backbone: image to map.
        use_head: draw the gaze toward the head's direction.
        split: degrees of head pose a bin.
        radius_deg: of the cone.
        head_spread_deg: standard deviation of gaze about the head's direction, in each angle.
        error_deg: of faces unlike those the net was trained on, in each angle, beyond the
            uncertainty that it tells.
        embedding: features of a frame.
        embedding_hidden: units between the pooled map and the embedding.
        lstm_hidden: units of each layer and direction.

    Raises:
        ValueError: If an angle is not above 0.
    """

    def __init__(
        self,
        backbone: Backbone,
        use_head: bool = True,
        split: float = 1.0,
        radius_deg: float = 8.0,
        head_spread_deg: float = 10.0,
        error_deg: float = 5.0,
        embedding: int = 256,
        embedding_hidden: int = 1000,
        lstm_hidden: int = 256,
    ) -> None:
        super().__init__(backbone, embedding, embedding_hidden, lstm_hidden)
        for name, angle_deg in (
            ("radius_deg", radius_deg),
            ("head_spread_deg", head_spread_deg),
            ("error_deg", error_deg),
        ):
            if angle_deg <= 0:
                raise ValueError(f"model.net.{name} is {angle_deg}, expected more than 0")
        self.uses_head = use_head
        self.last = Classifier(2 * lstm_hidden, 3)
        self._bin, self._radius = math.radians(split), math.radians(radius_deg)
        self._head_spread, self._error = math.radians(head_spread_deg), math.radians(error_deg)

    def decide(
        self,
        embedding: Tensor,
        centre_map: Tensor | None = None,
        head_bins: Tensor | None = None,
        landmarks: Tensor | None = None,
    ) -> Tensor:
        """Return the log-probabilities (B, 2) that the gaze lies out of the cone, and in it."""
        told = gaze_estimate(self.last(self.centre_state(embedding)))
        gaze, scale = told.gaze.abs(), told.uncertainty / _SCALES_IN_UNCERTAINTY
        variance = (scale / _SCALES_IN_DEVIATION) ** 2 + self._error**2
        if self.uses_head:
            head = (asked_prior("head_bins", head_bins)[:, :2] + 0.5) * self._bin
            trust = variance / (variance + self._head_spread**2)
            gaze, variance = gaze + trust * (head - gaze), variance * (1 - trust)
        inside = self._log_inside(gaze, variance.sqrt() * _SCALES_IN_DEVIATION)
        return torch.stack([torch.log(-torch.expm1(inside)), inside], dim=1)

    def _log_inside(self, gaze: Tensor, scale: Tensor) -> Tensor:
        """Return log P (B,) that yaw and pitch are within the radius, logistic about a gaze (B, 2).

        With the logistic function s: s(a) - s(b) = s(a) s(-b) (1 - exp(b - a)).
        """
        upper, lower = (self._radius - gaze) / scale, (-self._radius - gaze) / scale
        parts = logsigmoid(upper) + logsigmoid(-lower) + torch.log(-torch.expm1(lower - upper))
        return parts.sum(dim=1).clamp(max=_LARGEST_LOG)
