"""What JPEG does to photos, for a whole batch on its device: rounding, no bytes.

A file is not made, since all that it loses is lost before its bytes: colours at half the
resolution, and the cosines of blocks of 8 x 8 pixels, rounded to steps that the quality decides.
ITU-T T.81, with libjpeg's tables, steps and smooth upsampling: what
`common.media.image_codec` gives, but for roundings.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

# T.81, tables K.1 and K.2: steps of brightness and of colour at quality 50.
_LUMA = """
16 11 10 16 24 40 51 61   12 12 14 19 26 58 60 55   14 13 16 24 40 57 69 56
14 17 22 29 51 87 80 62   18 22 37 56 68 109 103 77   24 35 55 64 81 104 113 92
49 64 78 87 103 121 120 101   72 92 95 98 112 100 103 99
"""
_CHROMA = """
17 18 24 47 99 99 99 99   18 21 26 66 99 99 99 99   24 26 56 99 99 99 99 99
47 66 99 99 99 99 99 99   99 99 99 99 99 99 99 99   99 99 99 99 99 99 99 99
99 99 99 99 99 99 99 99   99 99 99 99 99 99 99 99
"""
_STEPS = [[int(step) for step in table.split()] for table in (_LUMA, _CHROMA, _CHROMA)]
# Red, green, blue to brightness, blueness and redness (JFIF).
_YCC = [[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]]
_RGB = [[1.0, 0.0, 1.402], [1.0, -0.344136, -0.714136], [1.0, 1.772, 0.0]]
_BLOCK, _GREY = 8, 128.0


def compressed(images: Tensor, quality: Tensor) -> Tensor:
    """Return photos as JPEG files of a quality hold them.

    Args:
        images: (M, 3, H, W) RGB levels, whole numbers 0..255 of a floating dtype.
        quality: (M,) 1..100.

    Returns:
        As the images.
    """
    height, width = images.shape[-2:]
    # Whole blocks of colour to the right, and as many rows as colour needs: as libjpeg does.
    padded = F.pad(images, (0, -width % (2 * _BLOCK), 0, height % 2), mode="replicate")
    planes = _mixed(padded, _YCC).round()
    luma, chroma = planes[:, :1], planes[:, 1:] + _GREY
    steps = _steps(quality)
    luma = _rounded(luma, steps[:, :1])
    chroma = _rounded(_halved(chroma), steps[:, 1:])
    # What lies beyond the edge does not show: libjpeg forgets it before it smooths.
    chroma = chroma[..., : math.ceil(height / 2), : math.ceil(width / 2)]
    chroma = F.interpolate(chroma, scale_factor=2, mode="bilinear").round() - _GREY
    seen = torch.cat([luma[..., :height, :width], chroma[..., :height, :width]], dim=1)
    return _mixed(seen, _RGB).round().clamp(0, 255)


def _mixed(images: Tensor, matrix: list[list[float]]) -> Tensor:
    return torch.einsum("dc,mchw->mdhw", images.new_tensor(matrix), images)


def _halved(planes: Tensor) -> Tensor:
    """Return the means of 2 x 2 pixels, halves rounded down and up by turns, as libjpeg does."""
    sums = 4 * F.avg_pool2d(planes, 2)
    turns = 1 + torch.arange(sums.shape[-1], device=sums.device) % 2
    return ((sums + turns) / 4).floor()


def _steps(quality: Tensor) -> Tensor:
    """Return the steps (M, 3, 8, 8) of qualities (M,)."""
    scale = torch.where(quality < 50, (5000 / quality).floor(), 200 - 2 * quality)
    steps = torch.tensor(_STEPS, dtype=scale.dtype, device=scale.device)
    scaled = ((steps * scale[:, None, None] + 50) / 100).floor().clamp(1, 255)
    return scaled.unflatten(-1, (_BLOCK, _BLOCK))


def _rounded(planes: Tensor, steps: Tensor) -> Tensor:
    """Return planes (M, C, H, W) whose blocks' cosines are whole numbers of steps (M, C, 8, 8)."""
    planes = F.pad(planes, (0, 0, 0, -planes.shape[-2] % _BLOCK), mode="replicate")
    cosines = _cosines(planes)
    blocks = planes.unflatten(-1, (-1, _BLOCK)).unflatten(-3, (-1, _BLOCK)) - _GREY
    # Axes of a block: i and j of pixels, u and v of cosines.
    found = torch.einsum("ui,mcyixj,vj->mcyxuv", cosines, blocks, cosines)
    steps = steps[:, :, None, None]
    kept = (found / steps).round() * steps
    seen = torch.einsum("ui,mcyxuv,vj->mcyixj", cosines, kept, cosines) + _GREY
    return seen.round().clamp(0, 255).flatten(-2).flatten(-3, -2)


def _cosines(like: Tensor) -> Tensor:
    """Return the matrix (8, 8) of the discrete cosine transform."""
    places = torch.arange(_BLOCK, dtype=like.dtype, device=like.device)
    angles = torch.outer(places, 2 * places + 1) * (math.pi / (2 * _BLOCK))
    matrix = angles.cos() * math.sqrt(2 / _BLOCK)
    matrix[0] /= math.sqrt(2)
    return matrix
