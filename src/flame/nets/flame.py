"""FLAME: RGB and heatmap streams that gate each other through two MMTM blocks."""

from __future__ import annotations

import torch
from torch import Tensor

from flame.landmarks import NUM_EYE_POINTS
from flame.nets.parts import MMTM, Backbone, GazeNet, Head, ResidualBlock, feature_side


class Flame(GazeNet):
    """The full model ("mmtm-fusion"): 33,587,458 parameters at the published size.

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
        self.mmtm1 = MMTM(2 * width)
        self.mmtm2 = MMTM(4 * width)
        self.merge = ResidualBlock(8 * width, 4 * width)
        self.head = Head(4 * width, feature_side(input_size), hidden, dropout)

    def forward(self, rgb: Tensor, heatmap: Tensor, head_pose: Tensor) -> Tensor:
        """Estimate gaze.

        Args:
            rgb: (B, 3, input_size, input_size) eye crop.
            heatmap: (B, 28, input_size, input_size), see `flame.nets.heatmaps`.
            head_pose: (B, 3) normalised [pitch, yaw, roll].

        Returns:
            (B, 2) normalised [yaw, pitch].
        """
        rgb_net, heatmap_net = self.rgb_backbone, self.heatmap_backbone
        rgb = rgb_net.stage2(rgb_net.stage1(rgb_net.stem(rgb)))
        heatmap = heatmap_net.stage2(heatmap_net.stage1(heatmap_net.stem(heatmap)))
        rgb, heatmap = self.mmtm1(rgb, heatmap)
        rgb, heatmap = self.mmtm2(rgb_net.stage3(rgb), heatmap_net.stage3(heatmap))
        merged = self.merge(torch.cat([rgb, heatmap], dim=1))
        return self.head(merged, head_pose)
