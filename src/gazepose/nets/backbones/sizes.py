"""Sizes of nets and images, checked where torch would say nothing, or nothing of use."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor


def check_at_least(least: int, sizes: Mapping[str, int]) -> None:
    """Raise a ValueError unless all sizes, by their place in the config, are `least` or more."""
    for name, size in sizes.items():
        if size < least:
            raise ValueError(f"{name} is {size}, expected {least} or more")


@contextmanager
def explained_image_size(name: str, images: Tensor, own_px: int) -> Iterator[None]:
    """Turn what a net raises at images of another side than its own into a ValueError."""
    try:
        yield
    except (AssertionError, RuntimeError) as error:
        height, width = images.shape[-2:]
        if (height, width) == (own_px, own_px) or isinstance(error, torch.OutOfMemoryError):
            raise
        raise ValueError(
            f"model.backbone.name={name} cannot look at images of {height} x {width} ({error}): "
            f"type model.image_size={own_px}, or choose another model.backbone"
        ) from error
