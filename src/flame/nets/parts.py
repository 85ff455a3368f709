"""What the four FLAME nets are made of.

Shapes: B batch, C channels, H W image, S side of the last feature map (14 for 120 px input).
Channel counts scale with `width`; the published nets have width 64.
"""

from typing import ClassVar

import torch
from torch import Tensor, nn

from flame.batch import NUM_EYE_POINTS

NUM_HEAD_POSE = 3


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions and a shortcut.

    As published, the residual branch ends in its own ReLU before the sum, so the sum of an
    identity shortcut never decreases. The shortcut is a 1x1 convolution where channels change.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.residual = nn.Sequential(
            nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(inplace=True),
            nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(inplace=True),
        )
        self.skip: nn.Module = nn.Identity()
        if in_channels != out_channels:
            self.skip = nn.Sequential(
                nn.Conv2d(in_channels, out_channels, 1, bias=False), nn.BatchNorm2d(out_channels)
            )

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, in_channels, H, W) to (B, out_channels, H, W)."""
        return torch.relu_(self.residual(x) + self.skip(x))


class Backbone(nn.Module):
    """The convolutional stream of one modality, in stages that a net may run one by one.

    (B, in_channels, 120, 120) -> stem (width, 59, 59) -> stage1 (width, 29, 29)
    -> stage2 (2 width, 14, 14) -> stage3 (4 width, 14, 14).
    """

    def __init__(self, in_channels: int, width: int) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(in_channels, width, 3),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(2),
        )
        self.stage1 = nn.Sequential(*_two_blocks(width, width), nn.MaxPool2d(2))
        self.stage2 = nn.Sequential(*_two_blocks(width, 2 * width), nn.MaxPool2d(2))
        self.stage3 = nn.Sequential(*_two_blocks(2 * width, 4 * width))

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, in_channels, H, W) to (B, 4 width, S, S)."""
        return self.stage3(self.stage2(self.stage1(self.stem(x))))


class MMTM(nn.Module):
    """Multimodal transfer module: each stream's channels are gated by a summary of both.

    Joze et al., "MMTM: Multimodal Transfer Module for CNN Fusion", CVPR 2020,
    without an activation after the squeeze, as in FLAME. Gates lie in (0, 2).
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.squeeze = nn.Linear(2 * channels, channels // 2)
        self.rgb_gate = nn.Linear(channels // 2, channels)
        self.heatmap_gate = nn.Linear(channels // 2, channels)

    def forward(self, rgb: Tensor, heatmap: Tensor) -> tuple[Tensor, Tensor]:
        """Gate two streams (B, channels, H, W), both by the state before either is gated."""
        summary = self.squeeze(torch.cat([rgb.mean((2, 3)), heatmap.mean((2, 3))], dim=1))
        return (
            rgb * _spatial(2 * torch.sigmoid(self.rgb_gate(summary))),
            heatmap * _spatial(2 * torch.sigmoid(self.heatmap_gate(summary))),
        )


class Head(nn.Module):
    """Feature map and head pose to gaze: two hidden layers with dropout."""

    def __init__(self, channels: int, side: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.fc1 = nn.Linear(channels * side**2 + NUM_HEAD_POSE, hidden)
        self.fc2 = nn.Linear(hidden, hidden)
        self.out = nn.Linear(hidden, 2)
        self.dropout = nn.Dropout(dropout)

    def forward(self, features: Tensor, head_pose: Tensor) -> Tensor:
        """Map (B, C, S, S) and normalised head poses (B, 3) to normalised gaze (B, 2).

        Computed in the weights' precision under autocast too, as in the original: bfloat16 would
        round angles to a tenth of a degree.
        """
        with torch.autocast(features.device.type, enabled=False):
            x = torch.cat([features.flatten(1), head_pose], dim=1).to(self.fc1.weight.dtype)
            x = self.dropout(torch.relu(self.fc1(x)))
            x = self.dropout(torch.relu(self.fc2(x)))
            return self.out(x)


class GazeNet(nn.Module):
    """Base of the nets: a stream of convolutions each for picture and heatmaps, and a head.

    Args:
        width: channels of the first stage; every other channel count scales with it.
        hidden: units of the two hidden layers of the head.
        dropout: probability of dropping a hidden unit.
        input_size: side of the square eye crop in pixels.

    Attributes:
        input_size: as given.
        uses_heatmap: False for a net that ignores the heatmap and takes None in its place, so that
            data and module need not render one.
    """

    uses_heatmap: ClassVar[bool] = True

    def __init__(
        self, width: int = 64, hidden: int = 512, dropout: float = 0.2, input_size: int = 120
    ) -> None:
        super().__init__()
        self.input_size = input_size
        self.rgb_backbone = Backbone(3, width)
        if self.uses_heatmap:
            self.heatmap_backbone = Backbone(NUM_EYE_POINTS, width)
        self._build_join(width)
        self.head = Head(4 * width, feature_side(input_size), hidden, dropout)

    def _build_join(self, width: int) -> None:
        """Build what joins the streams, if that has weights."""

    def forward(self, rgb: Tensor, heatmap: Tensor | None, head_pose: Tensor) -> Tensor:
        """Estimate gaze.

        Args:
            rgb: (B, 3, input_size, input_size) eye crop.
            heatmap: (B, 28, input_size, input_size), see `flame.nets.heatmaps`.
            head_pose: (B, 3) normalised [pitch, yaw, roll].

        Returns:
            (B, 2) normalised [yaw, pitch].
        """
        return self.head(self.features(rgb, heatmap), head_pose)

    def features(self, rgb: Tensor, heatmap: Tensor | None) -> Tensor:
        """Return the features (B, 4 width, S, S) of pictures and heatmaps."""
        raise NotImplementedError


def feature_side(input_size: int) -> int:
    """Return the side of a backbone's feature map for a square input of `input_size` pixels.

    Raises:
        ValueError: The input is too small for the three poolings.
    """
    side = (input_size - 2) // 8
    if side < 1:
        raise ValueError(f"input_size: got {input_size}, expected at least 10 pixels")
    return side


def _two_blocks(in_channels: int, out_channels: int) -> tuple[ResidualBlock, ResidualBlock]:
    return ResidualBlock(in_channels, out_channels), ResidualBlock(out_channels, out_channels)


def _spatial(gate: Tensor) -> Tensor:
    """(B, C) -> (B, C, 1, 1)."""
    return gate[:, :, None, None]
