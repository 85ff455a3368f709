"""The flat chart on which a star-shaped head is stored.

Stereographic projection from the back of the head: the unit direction (x, y, f) lies at
(u, v) = (x, y) / (1 + f). The chart is a square |u|, |v| <= CHART_EXTENT, so it covers all that
a camera within 60 degrees of the face's axis sees; behind its edge values repeat.
"""

import cv2
import numpy as np

from common.arrays import Array

CHART_EXTENT = 1.75
# A direction straight back has no place in the chart; this keeps it finite.
MIN_DENOMINATOR = 1e-3


def chart_directions(size: int) -> tuple[Array, Array, Array]:
    """Return the unit directions (x, y, f), each (size, size), of a chart's pixel centres."""
    t = ((np.arange(size) + 0.5) / size * 2 - 1) * CHART_EXTENT
    u, v = np.meshgrid(t, t)
    m = u * u + v * v
    return 2 * u / (1 + m), 2 * v / (1 + m), (1 - m) / (1 + m)


def look_up(chart: Array, point: tuple[Array, Array, Array], norm: Array) -> Array:
    """Return a chart's values, bilinear, at points of any shape and length unit, float32.

    Args:
        chart: square.
        point: x, y, f in face axes.
        norm: sqrt(x^2 + y^2 + f^2).
    """
    x, y, f = point
    size = len(chart)
    k = np.float32(size / 2 / CHART_EXTENT) / np.maximum(norm + f, np.float32(MIN_DENOMINATOR))
    offset = np.float32(size / 2 - 0.5)
    u, v = x * k + offset, y * k + offset
    return cv2.remap(chart, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
