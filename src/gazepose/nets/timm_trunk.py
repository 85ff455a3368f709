"""Trunks of timm, which is an optional extra."""

from __future__ import annotations

import importlib
from typing import Any

from torch import Tensor, nn

from gazepose.nets.published_weights import check_weights_name


class TimmTrunk(nn.Module):
    """The last feature map of a timm net.

    Args:
        name: as timm has it.
        weights: None or "imagenet".

    Raises:
        ValueError: If timm is not installed, has no such net or no feature maps of it, or the
            weights are unknown or cannot be had.
    """

    def __init__(self, name: str, weights: str | None) -> None:
        super().__init__()
        check_weights_name(weights)
        timm = _timm()
        try:
            self.net = timm.create_model(
                name, pretrained=weights is not None, features_only=True, out_indices=(-1,)
            )
        # timm raises whatever its many nets and its download raise.
        except Exception as error:
            raise ValueError(
                f"timm cannot make feature maps of {name!r} with weights {weights}: {error}; "
                "timm.list_models() lists its nets, model.backbone.weights=null needs no download"
            ) from error
        self.num_channels: int = self.net.feature_info.channels()[-1]

    def forward(self, images: Tensor) -> Tensor:
        """Map images (B, 3, H, W) to features (B, num_channels, h, w)."""
        feature_map: Tensor = self.net(images)[-1]
        # Windowed Transformers keep channels last.
        is_last = feature_map.shape[1] != self.num_channels
        return feature_map.movedim(-1, 1).contiguous() if is_last else feature_map


def _timm() -> Any:
    try:
        # By name: type checkers must not ask for what need not be installed.
        return importlib.import_module("timm")
    except ImportError as error:
        raise ValueError("this backbone needs timm; type pip install -e '.[timm]'") from error
