"""ImageNet weights of torchvision's nets: from its cache, or downloaded."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor
from torchvision import models  # type: ignore[import-untyped]

IMAGENET = "imagenet"


def check_weights_name(weights: str | None) -> None:
    """Raise a ValueError unless weights are None or "imagenet"."""
    if weights not in (None, IMAGENET):
        raise ValueError(f"model.backbone.weights is {weights!r}, expected {IMAGENET} or null")


def imagenet_weights(name: str) -> dict[str, Tensor]:
    """Return torchvision's default ImageNet weights of a ResNet without its classifier.

    The nets here have other layers in place of ``fc``, named otherwise, which start at random, as
    published.

    Raises:
        ValueError: If they cannot be had; says where a file brought by hand goes.
    """
    published = models.get_model_weights(name).DEFAULT
    with explained_download(name):
        state = published.get_state_dict(progress=False, check_hash=True)
    return {key: value for key, value in state.items() if not key.startswith("fc.")}


@contextmanager
def explained_download(name: str) -> Iterator[None]:
    """Turn what fails while torchvision's weights of a net are fetched into a ValueError."""
    try:
        yield
    except (OSError, RuntimeError) as error:
        url = models.get_model_weights(name).DEFAULT.url
        folder = Path(torch.hub.get_dir()) / "checkpoints"
        raise ValueError(
            f"ImageNet weights of {name} cannot be had ({error}); bring the file {url} into "
            f"{folder}, or type model.backbone.weights=null to start from random ones"
        ) from error
