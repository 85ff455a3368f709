"""What turns a face image into a map of features.

The default is ResNet-18; any of torchvision's or timm's nets can stand in its place.
"""

from typing import Self

import torch
from torch import Tensor, nn

from common.config.recordable import recordable
from gazepose.nets.backbones.published_weights import check_weights_name, imagenet_weights
from gazepose.nets.backbones.resnet import BasicBlock, ResNet
from gazepose.nets.backbones.sizes import check_at_least


class Backbone(nn.Module):
    """A trunk with a known number of channels.

    Args:
        trunk: maps images (B, 3, H, W) to features (B, num_channels, h, w).
        num_channels: of the features.
        frozen: its weights get no gradient, and its batch norms keep their statistics (they stay
            in eval mode).
    """

    def __init__(self, trunk: nn.Module, num_channels: int, frozen: bool = False) -> None:
        super().__init__()
        self.trunk = trunk
        self.num_channels = num_channels
        self.is_frozen = frozen
        if frozen:
            self.requires_grad_(False)
            self.eval()  # Lightning trains a net in the mode it comes in

    def train(self, mode: bool = True) -> Self:
        """Go to training mode, unless frozen."""
        return super().train(mode and not self.is_frozen)

    def forward(self, images: Tensor) -> Tensor:
        """Map normalised images (B, 3, H, W) to features (B, num_channels, h, w)."""
        return self.trunk(images)


@recordable
def resnet18(width: int = 64, weights: str | None = None, frozen: bool = False) -> Backbone:
    """Return the published nets' backbone; 11,176,512 parameters at the published width.

    Args:
        width: channels of the first stage; the map has eight times as many.
        weights: None for random ones, "imagenet" for torchvision's (IMAGENET1K_V1).
        frozen: see `Backbone`.

    Raises:
        ValueError: If the weights are unknown, not to be had, or of another width, or the width is
            less than 1.
    """
    check_weights_name(weights)
    check_at_least(1, {"model.backbone.width": width})
    trunk = ResNet(BasicBlock, (2, 2, 2, 2), width)
    if weights is not None:
        if width != 64:
            raise ValueError(
                f"{weights} weights are of width 64, got {width}; type model.backbone.width=64 or "
                "model.backbone.weights=null"
            )
        trunk.load_state_dict(imagenet_weights("resnet18"))
    return Backbone(trunk, trunk.num_channels, frozen)


class TorchvisionBackbone(Backbone):
    """Any convolutional or windowed net of torchvision, up to its last feature map.

    Some take images of one size only; they refuse others when they see them.

    Args:
        name: as torchvision has it: resnet50, mobilenet_v3_small, convnext_tiny, swin_t, ...
        weights: None for random ones, "imagenet" for torchvision's default ones.
        frozen: see `Backbone`.

    Raises:
        ValueError: If torchvision has no such net, it has no feature map, or its weights are
            unknown or not to be had.
    """

    def __init__(self, name: str, weights: str | None = None, frozen: bool = False) -> None:
        from gazepose.nets.backbones.torchvision_backbone import TorchvisionTrunk

        trunk = TorchvisionTrunk(name, weights)
        super().__init__(trunk, trunk.num_channels, frozen)


class TimmBackbone(Backbone):
    """Any net of timm that gives feature maps, Vision Transformers included.

    Weights of timm's are fed as they were trained, where that was not ImageNet's normalisation.
    Some nets take images of one size only; they refuse others when they see them.

    Args:
        name: as timm has it: resnet26d, vit_small_patch16_224, ...
        weights: None for random ones, "imagenet" for the ones timm would take.
        frozen: see `Backbone`.

    Raises:
        ValueError: If timm is not installed, has no such net or no feature maps of it, or the
            weights are unknown or not to be had.
    """

    def __init__(self, name: str, weights: str | None = None, frozen: bool = False) -> None:
        from gazepose.nets.backbones.timm_backbone import TimmTrunk

        trunk = TimmTrunk(name, weights)
        super().__init__(trunk, trunk.num_channels, frozen)


def pooled(feature_map: Tensor) -> Tensor:
    """Return the mean over places: (B, C, h, w) -> (B, C)."""
    return torch.nn.functional.adaptive_avg_pool2d(feature_map, 1).flatten(1)
