"""Where in a feature map a feature lies: sines of its row and its column.

Carion et al., "End-to-End Object Detection with Transformers", ECCV 2020, with the places
normalised to (0, 2 pi].
"""

import math

import torch
from torch import Tensor, nn

_TEMPERATURE = 10_000.0
_EPS = 1e-6


class SinePosition(nn.Module):
    """Position embeddings of maps, kept for the size that was last asked for.

    Args:
        width: channels of an embedding; half of them say the row, half the column.

    Raises:
        ValueError: If the width is not a multiple of four (sine and cosine, row and column).
    """

    table: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        if width % 4:
            raise ValueError(f"width is {width}, expected a multiple of 4")
        self.width = width
        # Filled by the first map; a net built without memory (torch.device("meta")) keeps none.
        self.register_buffer("table", torch.zeros(width, 0, 0), persistent=False)

    def forward(self, feature_map: Tensor) -> Tensor:
        """Return the embeddings (width, h, w) of a map (B, C, h, w), float32."""
        height, width = feature_map.shape[-2:]
        if self.table.shape[1:] != (height, width):
            # What validation makes under inference mode must serve training as well.
            with torch.inference_mode(False):
                self.table = sine_positions(height, width, self.width).to(self.table.device)
        return self.table


def sine_positions(height: int, width: int, num_channels: int) -> Tensor:
    """Return position embeddings of the places of a map.

    The first half of the channels embeds the row, the second the column; within each, even
    channels are sines and odd ones cosines.

    Returns:
        (num_channels, height, width) float32 on the CPU.
    """
    rows = _embedded(height, num_channels // 2)[:, :, None].expand(-1, height, width)
    columns = _embedded(width, num_channels // 2)[:, None, :].expand(-1, height, width)
    return torch.cat([rows, columns])


def _embedded(length: int, num_channels: int) -> Tensor:
    """Return the embeddings (num_channels, length) of the places 1..length."""
    places = torch.arange(1, length + 1, dtype=torch.float32) / (length + _EPS) * (2 * math.pi)
    exponents = torch.arange(num_channels, dtype=torch.float32).div(2).floor() * 2 / num_channels
    phases = places / (_TEMPERATURE**exponents)[:, None]
    is_even = (torch.arange(num_channels) % 2 == 0)[:, None]
    return torch.where(is_even, phases.sin(), phases.cos())
