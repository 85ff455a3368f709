"""F-B: the baseline, RGB and head pose only."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from flame.nets.parts import Backbone, GazeNet, Head, feature_side


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
        """Estimate gaze; shapes as in `flame.nets.flame.Flame.forward`, the heatmap is ignored."""
        return self.head(self.rgb_backbone(rgb), head_pose)
