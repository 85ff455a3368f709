"""Eye-landmark heatmaps, rendered from coordinates on the landmarks' own device.

A heatmap is never stored: 112 numbers a sample travel, and the map is made where it is used.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from flame.batch import NUM_EYE_POINTS, NUM_LANDMARKS


def render_heatmaps(
    landmarks: Tensor, height: int = 120, width: int = 120, variance: float = 1.0
) -> Tensor:
    """Render a batch of landmark heatmaps.

    Channel i is the sum of two normal densities with covariance ``variance * I``: one at point i
    of the subject's right eye, one at point i of the left eye. A 2-D
    isotropic Gaussian is the outer product of two 1-D ones, so a sample costs 56 * (H + W)
    exponentials. The density is not normalised to 1: a single peak is 1 / (2 pi variance).

    Args:
        landmarks: (B, 112) pixel coordinates x0..x55, y0..y55 in the frame to render; integers
            are pixel centres. 0..27 is the right eye, 28..55 the left. Points outside the frame
            are legal; a NaN coordinate makes its own channel NaN and no other.
        height: Rows of the frame.
        width: Columns of the frame.
        variance: Of each Gaussian, in squared pixels.

    Returns:
        (B, 28, height, width) of the landmarks' dtype, on their device.

    Raises:
        ValueError: The landmarks are not a floating tensor of shape (B, 112), or the variance
            is not positive.
    """
    _check(landmarks, variance)
    # (B, 112) -> (B, axis x|y, eye right|left, point)
    points = landmarks.unflatten(1, (2, 2, NUM_EYE_POINTS))
    columns = _gaussians(points[:, 0], width, variance)
    rows = _gaussians(points[:, 1], height, variance)
    right, left = rows[..., :, None].unbind(1), columns[..., None, :].unbind(1)
    # Not a matmul: autocast would run it in half precision.
    return (right[0] * left[0]).addcmul_(right[1], left[1])


def _gaussians(centres: Tensor, size: int, variance: float) -> Tensor:
    """Return 1-D normal densities (..., size) at pixels 0..size-1 around centres (...)."""
    pixels = torch.arange(size, dtype=centres.dtype, device=centres.device)
    exponent = (pixels - centres[..., None]).square() * (-0.5 / (variance * math.log(2)))
    # Most of a frame underflows, where exp takes ten times as long as exp2 on a CPU. Products with
    # subnormal numbers are as slow, so the threshold makes those zero.
    density = F.threshold(exponent.exp2(), torch.finfo(centres.dtype).tiny, 0.0)
    return density / math.sqrt(2 * math.pi * variance)


def _check(landmarks: Tensor, variance: float) -> None:
    if landmarks.ndim != 2 or landmarks.shape[1] != NUM_LANDMARKS:
        raise ValueError(
            f"landmarks: got shape {tuple(landmarks.shape)}, expected (B, {NUM_LANDMARKS}); "
            "add the batch axis with landmarks[None]"
        )
    if not landmarks.is_floating_point():
        raise ValueError(f"landmarks: got {landmarks.dtype}, expected a floating dtype")
    if not variance > 0:
        raise ValueError(f"variance: got {variance}, expected a positive number of squared pixels")
