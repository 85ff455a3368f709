"""Trunks of torchvision: any of its image classifiers up to the last feature map."""

from typing import Any

import torch
from torch import Tensor, nn
from torchvision import models  # type: ignore[import-untyped]
from torchvision.models.feature_extraction import (  # type: ignore[import-untyped]
    create_feature_extractor,
    get_graph_node_names,
)

from gazepose.nets.backbones.published_weights import check_weights_name, explained_download
from gazepose.nets.backbones.sizes import explained_image_size

# Side of the image the map is found with: all of torchvision's nets take it.
_EXAMPLE_PX = 224
# What follows the map; in some nets maps of 1000 channels, one a class.
_CLASSIFIERS = ("classifier", "fc", "head")


class TorchvisionTrunk(nn.Module):
    """The last feature map of a torchvision net.

    Args:
        name: as torchvision has it.
        weights: None or "imagenet".

    Raises:
        ValueError: If torchvision has no such classifier, it has no feature map, or the weights
            are unknown or cannot be had.
    """

    def __init__(self, name: str, weights: str | None) -> None:
        super().__init__()
        check_weights_name(weights)
        self._name = name
        net = _classifier(name, weights)
        node, self.num_channels = _last_map(name, net)
        self.net = create_feature_extractor(net, {node: "map"})

    def forward(self, images: Tensor) -> Tensor:
        """Map images (B, 3, H, W) to features (B, num_channels, h, w).

        Raises:
            ValueError: If the net cannot take images of this size.
        """
        with explained_image_size(self._name, images, _EXAMPLE_PX):
            feature_map: Tensor = self.net(images)["map"]
        return feature_map


def _classifier(name: str, weights: str | None) -> nn.Module:
    known = models.list_models(models)
    if name not in known:
        raise ValueError(
            f"torchvision has no image classifier {name!r}, expected one of {', '.join(known)}"
        )
    with explained_download(name):
        net: nn.Module = models.get_model(name, weights=weights and "DEFAULT")
    if isinstance(net, models.VisionTransformer):
        raise ValueError(
            f"torchvision's {name} gives no feature map; take timm's, as in "
            "gazepose.nets.backbones.TimmBackbone with name=vit_base_patch16_224"
        )
    return net


def _last_map(name: str, net: nn.Module) -> tuple[str, int]:
    """Return which node of a net gives its last map, and the map's channels."""
    in_training, in_eval = get_graph_node_names(net)
    shared = [node for node in in_eval if node in set(in_training)]
    nodes = [node for node in shared if node.partition(".")[0] not in _CLASSIFIERS]
    net.eval()
    with torch.no_grad():
        outputs = create_feature_extractor(net, nodes)(torch.zeros(1, 3, _EXAMPLE_PX, _EXAMPLE_PX))
    net.train()
    for node in reversed(nodes):
        if _is_map(outputs[node]):
            return node, outputs[node].shape[1]
    raise ValueError(f"torchvision's {name} gives no feature map; take a convolutional net")


def _is_map(output: Any) -> bool:
    """Tell maps (1, C, h, w) from vectors, pooled maps and maps with their channels last."""
    if not isinstance(output, Tensor) or output.dim() != 4:
        return False
    _, channels, height, width = output.shape
    return height == width > 1 and channels > height
