"""Looks of photos, for a whole batch on its device: what `photometric.Look` does one by one.

The same pixels but for roundings, and for the noise, which is drawn here.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from common.media.jpeg_batch import compressed
from common.media.photometric import BLUR, SHARPENING_BLUR_PX

# Of `Look.numbers`, in its order.
_SIZES = (3, 3, *9 * [1])
# A Gaussian filter ends where OpenCV cuts it off: at this many standard deviations.
_REACH = 4


def with_looks(batch: Any, pixels: str) -> Any:
    """Return a batch whose images look as the loader drew it, if it left that to the device.

    Args:
        batch: with ``look`` (B, 15) of `Look.numbers` in that case.
        pixels: the key of its images (B, ..., 3, H, W).
    """
    if "look" not in batch:
        return batch
    return {**batch, pixels: photographed(batch[pixels], batch["look"])}


@torch.no_grad()
def photographed(images: Tensor, looks: Tensor) -> Tensor:
    """Return images (B, ..., 3, H, W) uint8 RGB as their looks show them; black ones stay black.

    All images of a sample share a look (15,) of `Look.numbers`; each has a noise of its own.
    """
    if not images.numel():
        return images
    # N frames of each of B samples; of a look, numbers that broadcast to (B, N, 3, H, W).
    frames = images.reshape(len(images), -1, *images.shape[-3:])
    parts = (part[:, None, :, None, None] for part in looks.split(_SIZES, dim=1))
    grey, colour, gamma, contrast, brightness, right, low, blur, sharpening, noise, quality = parts
    seen = _toned(frames.float(), grey, colour, gamma)
    seen = _lit(seen, contrast, brightness, right, low)
    seen = _filtered(seen, blur.flatten(), sharpening)
    seen = (255 * torch.addcmul(seen, noise, torch.randn_like(seen))).round_().clamp_(0, 255)
    qualities = quality.expand(-1, frames.shape[1], -1, -1, -1).flatten()
    files = compressed(seen.flatten(0, 1), qualities.clamp(min=1)).unflatten(0, frames.shape[:2])
    seen = torch.where(quality > 0, files, seen)
    is_black = (frames == 0).flatten(2).all(-1)[..., None, None, None]
    return seen.masked_fill_(is_black, 0).to(torch.uint8).reshape(images.shape)


def _toned(levels: Tensor, grey: Tensor, colour: Tensor, gamma: Tensor) -> Tensor:
    """Return the levels, 1 being white, of other colours or of none."""
    is_grey = grey.sum(2, keepdim=True) > 0
    mixed = (levels * grey).sum(2, keepdim=True).round_()
    tones = (torch.where(is_grey, mixed, levels) / 255).pow_(gamma)
    return tones.mul_(colour.masked_fill(is_grey, 1))


def _lit(seen: Tensor, contrast: Tensor, brightness: Tensor, right: Tensor, low: Tensor) -> Tensor:
    """Return images of other contrast about their mean, and of other light."""
    height, width = seen.shape[-2:]
    across = torch.linspace(-1, 1, width, device=seen.device)
    down = torch.linspace(-1, 1, height, device=seen.device)[:, None]
    light = across * right + down * low + brightness
    light = light + (1 - contrast) * seen.mean((2, 3, 4), keepdim=True)
    return seen.mul_(contrast).add_(light)


def _filtered(seen: Tensor, blur: Tensor, sharpening: Tensor) -> Tensor:
    """Return images (B, N, C, H, W) blurred, where blur (B,) is above 0, or sharpened."""
    is_blurred = blur > 0
    sigma_px = torch.where(is_blurred, blur * max(seen.shape[-2:]), SHARPENING_BLUR_PX)
    blurred = _blurred(seen, sigma_px)
    share = torch.where(is_blurred[:, None, None, None, None], 1, -sharpening)
    return seen.lerp_(blurred, share.expand_as(seen))


def _blurred(seen: Tensor, sigma_px: Tensor) -> Tensor:
    """Return images (B, N, C, H, W) behind Gaussian filters, sigma (B,)."""
    # As far as the widest that there may be: to ask which is would be to wait for the device.
    most = int(_REACH * max(SHARPENING_BLUR_PX, BLUR * max(seen.shape[-2:]))) + 1
    taps = torch.arange(-most, most + 1, device=seen.device)
    reach = ((2 * _REACH * sigma_px + 1).round() / 2).floor()[:, None]
    weights = torch.exp(-0.5 * (taps / sigma_px[:, None]).square()) * (taps.abs() <= reach)
    weights = (weights / weights.sum(1, keepdim=True))[:, None, None]
    # A sample's filter is that of a channel.
    channels = seen.flatten(1, 2).transpose(0, 1)
    for filters, pads in ((weights, (most, most, 0, 0)), (weights.mT, (0, 0, most, most))):
        padded = F.pad(channels, pads, mode="reflect")
        channels = F.conv2d(padded, filters, groups=len(sigma_px))
    return channels.transpose(0, 1).reshape(seen.shape)
