"""The four nets of FLAME: how the eye's picture and the heatmaps of its landmarks are joined.

FLAME lets its two streams gate each other through two MMTM blocks, F-AO joins them once by
concatenation and a residual block, F-AF by addition; F-B, the baseline, sees no heatmaps.
"""

import torch
from torch import Tensor

from flame.nets.parts import MMTM, GazeNet, ResidualBlock


class Flame(GazeNet):
    """The full model ("mmtm-fusion"): 33,587,458 parameters at the published size."""

    def _build_join(self, width: int) -> None:
        self.mmtm1 = MMTM(2 * width)
        self.mmtm2 = MMTM(4 * width)
        self.merge = ResidualBlock(8 * width, 4 * width)

    def features(self, rgb: Tensor, heatmap: Tensor | None) -> Tensor:
        """Let the streams gate each other after their second and third stages, then merge them."""
        rgb_net, heatmap_net = self.rgb_backbone, self.heatmap_backbone
        rgb = rgb_net.stage2(rgb_net.stage1(rgb_net.stem(rgb)))
        heatmap = heatmap_net.stage2(heatmap_net.stage1(heatmap_net.stem(heatmap)))
        rgb, heatmap = self.mmtm1(rgb, heatmap)
        rgb, heatmap = self.mmtm2(rgb_net.stage3(rgb), heatmap_net.stage3(heatmap))
        return self.merge(torch.cat([rgb, heatmap], dim=1))


class FlameAO(GazeNet):
    """The concatenation model ("concatenated-fusion"): 33,422,658 parameters as published."""

    def _build_join(self, width: int) -> None:
        self.merge = ResidualBlock(8 * width, 4 * width)

    def features(self, rgb: Tensor, heatmap: Tensor | None) -> Tensor:
        """Merge the streams where they end."""
        streams = [self.rgb_backbone(rgb), self.heatmap_backbone(heatmap)]
        return self.merge(torch.cat(streams, dim=1))


class FlameAF(GazeNet):
    """The additive model ("additive-fusion"): 31,520,578 parameters at the published size."""

    def features(self, rgb: Tensor, heatmap: Tensor | None) -> Tensor:
        """Add the streams where they end."""
        return self.rgb_backbone(rgb) + self.heatmap_backbone(heatmap)


class FlameB(GazeNet):
    """The baseline model ("baseline"): 28,731,010 parameters at the published size."""

    uses_heatmap = False

    def features(self, rgb: Tensor, heatmap: Tensor | None) -> Tensor:
        """Look at the picture only."""
        return self.rgb_backbone(rgb)
