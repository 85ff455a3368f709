"""ResNet trunks, as torchvision's: same arithmetic, same names of the weights, any width.

torchvision's own have no width below 64 for basic blocks.
He et al., "Deep Residual Learning for Image Recognition", CVPR 2016.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

# Below it, oneDNN's gradient of a strided 1x1 convolution in channels-last writes beyond its
# buffer, and crashes on processors with AVX2 alone (uxlfoundation/oneDNN issue 6035).
_LEAST_SOUND_CHANNELS = 16


class _NarrowShortcut(nn.Conv2d):
    """A strided 1x1 convolution of few channels: one without a stride, of every n-th pixel."""

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, in_channels, H, W) to (B, out_channels, H / stride, W / stride)."""
        step, _ = self.stride
        return nn.functional.conv2d(x[..., ::step, ::step], self.weight)


class BasicBlock(nn.Module):
    """Two 3x3 convolutions and a shortcut; (B, in, H, W) -> (B, channels, H/stride, W/stride)."""

    expansion = 1

    def __init__(self, in_channels: int, channels: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, channels, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.downsample = _shortcut(in_channels, channels, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, in_channels, H, W) to (B, channels, H / stride, W / stride)."""
        residual = torch.relu_(self.bn1(self.conv1(x)))
        residual = self.bn2(self.conv2(residual))
        return torch.relu_(residual + self.downsample(x))


class Bottleneck(nn.Module):
    """1x1, 3x3 (which strides) and 1x1 convolutions, four times as many channels at the end."""

    expansion = 4

    def __init__(self, in_channels: int, channels: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, channels, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.conv3 = nn.Conv2d(channels, self.expansion * channels, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(self.expansion * channels)
        self.downsample = _shortcut(in_channels, self.expansion * channels, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, in_channels, H, W) to (B, 4 channels, H / stride, W / stride)."""
        residual = torch.relu_(self.bn1(self.conv1(x)))
        residual = torch.relu_(self.bn2(self.conv2(residual)))
        residual = self.bn3(self.conv3(residual))
        return torch.relu_(residual + self.downsample(x))


class ResNet(nn.Module):
    """A ResNet without pooling and classifier.

    Args:
        block: of the residual stages.
        depths: blocks of each of the four stages; (2, 2, 2, 2) is ResNet-18.
        width: channels of the first stage; each further stage doubles them.
    """

    def __init__(
        self, block: type[BasicBlock] | type[Bottleneck], depths: Sequence[int], width: int = 64
    ) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 7, 2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.maxpool = nn.MaxPool2d(3, 2, padding=1)
        out = [width * 2**i * block.expansion for i in range(4)]
        self.layer1 = _stage(block, width, width, depths[0], stride=1)
        self.layer2 = _stage(block, out[0], 2 * width, depths[1], stride=2)
        self.layer3 = _stage(block, out[1], 4 * width, depths[2], stride=2)
        self.layer4 = _stage(block, out[2], 8 * width, depths[3], stride=2)
        self.num_channels = out[3]
        self.apply(_initialise)

    def forward(self, images: Tensor) -> Tensor:
        """Map images (B, 3, H, W) to features (B, num_channels, H / 32, W / 32)."""
        x = self.maxpool(torch.relu_(self.bn1(self.conv1(images))))
        return self.layer4(self.layer3(self.layer2(self.layer1(x))))


def _stage(
    block: type[BasicBlock] | type[Bottleneck],
    in_channels: int,
    channels: int,
    depth: int,
    stride: int,
) -> nn.Sequential:
    first = block(in_channels, channels, stride)
    further = [block(block.expansion * channels, channels, 1) for _ in range(depth - 1)]
    return nn.Sequential(first, *further)


def _shortcut(in_channels: int, out_channels: int, stride: int) -> nn.Module:
    if stride == 1 and in_channels == out_channels:
        return nn.Identity()
    conv = nn.Conv2d if in_channels >= _LEAST_SOUND_CHANNELS else _NarrowShortcut
    return nn.Sequential(
        conv(in_channels, out_channels, 1, stride, bias=False), nn.BatchNorm2d(out_channels)
    )


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
