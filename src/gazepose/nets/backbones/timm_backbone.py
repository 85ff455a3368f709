"""Trunks of timm, which is an optional extra."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from common.config.optional_packages import optional
from gazepose.nets.backbones.published_weights import check_weights_name
from gazepose.nets.backbones.sizes import explained_image_size
from gazepose.nets.pixels import IMAGENET_MEAN, IMAGENET_STD


class TimmTrunk(nn.Module):
    """The last feature map of a timm net.

    Images come in ImageNet's normalisation. Weights of timm's that were trained in another get
    theirs: what it takes is part of the state, as the net keeps it, however it is trained on.

    Args:
        name: as timm has it.
        weights: None or "imagenet".

    Raises:
        ValueError: If timm is not installed, has no such net or no feature maps of it, or the
            weights are unknown or cannot be had.
    """

    pixel_scale: Tensor
    pixel_shift: Tensor

    def __init__(self, name: str, weights: str | None) -> None:
        super().__init__()
        check_weights_name(weights)
        timm = optional("timm", "this backbone needs timm; type pip install -e '.[timm]'")
        _check_name(timm, name)
        try:
            self.net = timm.create_model(
                name, pretrained=weights is not None, features_only=True, out_indices=(-1,)
            )
        # timm raises whatever its many nets and its download raise.
        except Exception as error:
            raise ValueError(
                f"timm cannot make feature maps of {name!r} with weights {weights}: {error}; "
                "model.backbone.weights=null needs no download"
            ) from error
        self.num_channels: int = self.net.feature_info.channels()[-1]
        self._name = name
        self._own_px: int = self.net.pretrained_cfg["input_size"][-1]
        scale, shift = _from_imagenet(self.net.pretrained_cfg if weights else {})
        self.register_buffer("pixel_scale", scale)
        self.register_buffer("pixel_shift", shift)

    def forward(self, images: Tensor) -> Tensor:
        """Map images (B, 3, H, W) to features (B, num_channels, h, w).

        Raises:
            ValueError: If the net cannot take images of this size.
        """
        with explained_image_size(self._name, images, self._own_px):
            feature_map: Tensor = self.net(images * self.pixel_scale + self.pixel_shift)[-1]
        # Windowed Transformers keep channels last.
        is_last = feature_map.shape[1] != self.num_channels
        return feature_map.movedim(-1, 1).contiguous() if is_last else feature_map


def _from_imagenet(trained: Mapping[str, Any]) -> tuple[Tensor, Tensor]:
    """Return factors and summands (3, 1, 1) from ImageNet's normalisation to that of weights.

    `trained` has ``mean`` and ``std`` of the weights' pixels; without them they are ImageNet's.
    """
    ours, theirs = (
        [torch.tensor(values)[:, None, None] for values in pair]
        for pair in (
            (IMAGENET_MEAN, IMAGENET_STD),
            (trained.get("mean", IMAGENET_MEAN), trained.get("std", IMAGENET_STD)),
        )
    )
    return ours[1] / theirs[1], (ours[0] - theirs[0]) / theirs[1]


def _check_name(timm: Any, name: str) -> None:
    """Refuse what timm would fetch from somebody's account, or read from a folder."""
    if not timm.is_model(name):
        raise ValueError(f"timm has no net {name!r}; timm.list_models() lists those it has")
