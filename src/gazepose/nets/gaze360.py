"""Gaze360's net: where a person looks, and how sure that is.

Kellnhofer et al., "Gaze360: Physically Unconstrained Gaze Estimation in the Wild", ICCV 2019.
GazeLSTM and GazePose start from its weights.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from gazepose.nets.backbones import Backbone
from gazepose.nets.parts import Classifier, ClipEncoder


class GazeEstimate(NamedTuple):
    """Where B people look."""

    gaze: Tensor
    """(B, 2) [yaw, pitch] in radians, viewer frame; yaw in (-pi, pi), pitch in (-pi/2, pi/2)."""
    uncertainty: Tensor
    """(B, 1) in radians, (0, pi); 80 % of errors should lie within."""


class Gaze360(ClipEncoder):
    """GazeLSTM with three outputs.

    Its weights are Gaze360's but for the sign of the yaw output (`gazepose.originals.weights` turns
    it): Gaze360's eye coordinates have x to the left as the camera sees it, y up and z away from
    the camera; yaw = atan2(x, -z), pitch = asin(y). Ours have x to the right and z toward it.

    Args:
        backbone: image to map.
        embedding: features of a frame.
        embedding_hidden: units between the pooled map and the embedding.
        lstm_hidden: units of each layer and direction.
    """

    def __init__(
        self,
        backbone: Backbone,
        embedding: int = 256,
        embedding_hidden: int = 1000,
        lstm_hidden: int = 256,
    ) -> None:
        super().__init__(backbone, embedding, embedding_hidden, lstm_hidden)
        self.last = Classifier(2 * lstm_hidden, 3)

    def forward(self, clip: Tensor) -> GazeEstimate:
        """Estimate the gaze in the middle of normalised frames (B, T, 3, H, W), T odd or 1."""
        embedding, _ = self.look(clip.flatten(0, 1))
        return self.estimate(embedding.unflatten(0, clip.shape[:2]))

    def estimate(self, embedding: Tensor) -> GazeEstimate:
        """Estimate the gaze in the middle of frames' embeddings (B, T, E)."""
        return gaze_estimate(self.last(self.centre_state(embedding)))


def gaze_estimate(raw: Tensor) -> GazeEstimate:
    """Return what Gaze360's three outputs (B, 3) say."""
    # tanh for angles, as published: their ends cannot be crossed.
    yaw, pitch = math.pi * raw[:, :1].tanh(), math.pi / 2 * raw[:, 1:2].tanh()
    return GazeEstimate(torch.cat([yaw, pitch], dim=1), math.pi * raw[:, 2:].sigmoid())
