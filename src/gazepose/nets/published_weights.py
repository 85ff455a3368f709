"""ImageNet weights of torchvision's nets: from its cache, or downloaded."""

from __future__ import annotations

from pathlib import Path
from urllib.error import URLError

import torch
from torch import Tensor

IMAGENET = "imagenet"


def check_weights_name(weights: str | None) -> None:
    """Raise a ValueError unless weights are None or "imagenet"."""
    if weights not in (None, IMAGENET):
        raise ValueError(f"model.backbone.weights is {weights!r}, expected {IMAGENET} or null")


def imagenet_weights(name: str, weights: str) -> dict[str, Tensor]:
    """Return torchvision's default ImageNet weights of a ResNet without its classifier.

    Args:
        name: of the net, as torchvision has it.
        weights: must be "imagenet".

    Returns:
        The state dict without ``fc.*``: the nets here have other layers there, named otherwise,
        and start them at random, as published.

    Raises:
        ValueError: If the weights are unknown or cannot be had.
    """
    check_weights_name(weights)
    state = download(name)
    return {key: value for key, value in state.items() if not key.startswith("fc.")}


def download(name: str) -> dict[str, Tensor]:
    """Return torchvision's default weights of a net; kept in torch's cache.

    Raises:
        ValueError: If they cannot be had; says where a file brought by hand goes.
    """
    from torchvision.models import get_model_weights  # type: ignore[import-untyped]

    published = get_model_weights(name).DEFAULT
    try:
        return dict(published.get_state_dict(progress=False, check_hash=True))
    except (URLError, OSError, RuntimeError) as error:
        folder = Path(torch.hub.get_dir()) / "checkpoints"
        raise ValueError(
            f"ImageNet weights of {name} cannot be had ({error}); bring the file {published.url} "
            f"into {folder}, or type model.backbone.weights=null to start from random ones"
        ) from error
