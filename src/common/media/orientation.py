"""A video's display matrix: how decoded frames are turned and mirrored before they are shown."""

import struct
from typing import Any, NamedTuple

import numpy as np

from common.arrays import Image


class Orientation(NamedTuple):
    """One of the eight ways to lay a picture down; what is done first stands first.

    Attributes:
        is_transposed: rows become columns.
        is_mirrored: left becomes right, as seen after that.
        is_upended: top becomes bottom, as seen after that.
    """

    is_transposed: bool = False
    is_mirrored: bool = False
    is_upended: bool = False

    def upright(self, image: Image) -> Image:
        """Return a decoded frame (H, W, 3) as it is shown."""
        laid = image.transpose(1, 0, 2) if self.is_transposed else image
        laid = laid[:, ::-1] if self.is_mirrored else laid
        return np.ascontiguousarray(laid[::-1] if self.is_upended else laid)


def orientation(frame: Any) -> Orientation:
    """Return how a frame of PyAV is shown; by the nearest quarter turn, if it is turned obliquely.

    The matrix (ISO/IEC 14496-12, 6.2.2) takes a pixel (x, y), y down, to (ax + cy, bx + dy).
    """
    matrix = frame.side_data.get("DISPLAYMATRIX")
    if matrix is None:
        return Orientation()
    a, b, _, c, d, *_ = struct.unpack("=9i", bytes(matrix))
    is_transposed = abs(b) + abs(c) > abs(a) + abs(d)
    across, down = (c, b) if is_transposed else (a, d)
    return Orientation(is_transposed, across < 0, down < 0)
