"""The four nets of FLAME: how the eye's picture and the heatmaps of its landmarks are joined.

FLAME lets its two streams gate each other through two MMTM blocks, F-AO joins them once by
concatenation and a residual block, F-AF by addition; F-B, the baseline, sees no heatmaps.
"""

from typing import ClassVar

import torch
from torch import Tensor

from flame.batch import NUM_EYE_POINTS
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
        """Estimate gaze; shapes as in `Flame.forward`."""
        streams = [self.rgb_backbone(rgb), self.heatmap_backbone(heatmap)]
        merged = self.merge(torch.cat(streams, dim=1))
        return self.head(merged, head_pose)


class FlameAF(GazeNet):
    """The additive model ("additive-fusion"): 31,520,578 parameters at the published size.

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
        self.head = Head(4 * width, feature_side(input_size), hidden, dropout)

    def forward(self, rgb: Tensor, heatmap: Tensor, head_pose: Tensor) -> Tensor:
        """Estimate gaze; shapes as in `Flame.forward`."""
        merged = self.rgb_backbone(rgb) + self.heatmap_backbone(heatmap)
        return self.head(merged, head_pose)


class FlameB(GazeNet):
    """The baseline model ("baseline"): 28,731,010 parameters at the published size.

    Args:
        width: Channels of the first stage; every other channel count scales with it.
        hidden: Units of the two hidden layers of the head.
        dropout: Probability of dropping a hidden unit.
        input_size: Side of the square eye crop in pixels.
    """

    uses_heatmap: ClassVar[bool] = False

    def __init__(
        self, width: int = 64, hidden: int = 512, dropout: float = 0.2, input_size: int = 120
    ) -> None:
        super().__init__()
        self.rgb_backbone = Backbone(3, width)
        self.head = Head(4 * width, feature_side(input_size), hidden, dropout)

    def forward(self, rgb: Tensor, heatmap: Tensor | None, head_pose: Tensor) -> Tensor:
        """Estimate gaze; shapes as in `Flame.forward`, the heatmap is ignored."""
        return self.head(self.rgb_backbone(rgb), head_pose)
