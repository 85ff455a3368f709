"""F-AO: two streams joined once, by concatenation and a residual block."""

from __future__ import annotations

import torch
from torch import Tensor

from flame.landmarks import NUM_EYE_POINTS
from flame.nets.parts import Backbone, GazeNet, Head, ResidualBlock, feature_side


class FlameAO(GazeNet):
    """The concatenation model ("concatenated-fusion"): 33,422,658 parameters as published.

    Args:
        width: Channels of the first stage; every other channel count scales with it.
        hidden: Units of the two hidden layers of the head.
        dropout: Probability of dropping a hidden unit.
        input_size: Side of the square eye crop in pixels.
    """

    def __init__(
        self, width: int = 64, hidden: int = 512, dropout: float = 0.2, input_size: int = 120
    ) -> None:
        super().__init__()
        self.rgb_backbone = Backbone(3, width)
        self.heatmap_backbone = Backbone(NUM_EYE_POINTS, width)
        self.merge = ResidualBlock(8 * width, 4 * width)
        self.head = Head(4 * width, feature_side(input_size), hidden, dropout)

    def forward(self, rgb: Tensor, heatmap: Tensor, head_pose: Tensor) -> Tensor:
        """Estimate gaze; shapes as in `flame.nets.flame.Flame.forward`."""
        streams = [self.rgb_backbone(rgb), self.heatmap_backbone(heatmap)]
        merged = self.merge(torch.cat(streams, dim=1))
        return self.head(merged, head_pose)
