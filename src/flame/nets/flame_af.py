"""F-AF: two streams joined once, by addition."""

from __future__ import annotations

from torch import Tensor

from flame.landmarks import NUM_EYE_POINTS
from flame.nets.parts import Backbone, GazeNet, Head, feature_side


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
        """Estimate gaze; shapes as in `flame.nets.flame.Flame.forward`."""
        merged = self.rgb_backbone(rgb) + self.heatmap_backbone(heatmap)
        return self.head(merged, head_pose)
