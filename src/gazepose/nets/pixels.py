"""Pixels as the nets want them."""

import torch
from torch import Tensor

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


def normalise(images: Tensor) -> Tensor:
    """Return uint8 RGB images (..., 3, H, W) in ImageNet's normalisation, float32, on their device.

    It is (pixel / 255 - mean) / std, in torchvision's order of rounding.

    Raises:
        ValueError: If the images are not uint8: floats may be normalised already.
    """
    if images.dtype != torch.uint8:
        raise ValueError(f"got pixels of type {images.dtype}, expected torch.uint8 in 0..255")
    mean, std = (_of_channels(values, images) for values in (IMAGENET_MEAN, IMAGENET_STD))
    # A tensor divides on every device alike; CUDA multiplies by a Python number's reciprocal.
    return images.float().div_(torch.full_like(mean, 255.0)).sub_(mean).div_(std)


def _of_channels(values: tuple[float, ...], images: Tensor) -> Tensor:
    """Return a number for each channel, (3, 1, 1) float32 on the images' device.

    They are filled in there: copied to a GPU, they would make each step wait for the one before.
    """
    return torch.stack(
        [torch.full((1, 1), value, dtype=torch.float32, device=images.device) for value in values]
    )
