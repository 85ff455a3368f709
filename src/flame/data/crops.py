"""The eye crop: a square window of the frame around one eye, landmarks moved along.

The window is ``[int(cx) - size/2, +size) x [int(cy) - size/2, +size)`` around the centre of the
eyelids, moved inside the frame where it would leave it. Frame and landmarks move together, so a
heatmap rendered from the returned landmarks lies exactly on the crop.

This equals the original (FLAME at 4494fd7, size 120) wherever that is sound: away from the
borders, and for the right eye at the left border. Elsewhere it differs on purpose:

===================================  ====================================  =====================
case                                 original                              here
===================================  ====================================  =====================
left eye at the right border         frame moved inside, heatmap cut at    both moved inside
                                     columns 0..119 of the frame
left eye at the left border,         all zeros                             moved inside
any eye at the top
right eye at the right border,       truncated crop, which no batch and    moved inside
any eye at the bottom                no net takes (or stretched to size)
centre far outside on the top/left   window wraps round to the other side  the nearest window
centre far outside elsewhere         all zeros                             the nearest window
frame smaller than the window        truncated crop                        whole frame, zero-padded
NaN in the landmarks                 window at a border, or a crash        ValueError
===================================  ====================================  =====================

A centre outside the frame gives a full window without the eye: preprocessing drops such samples
(`eye_centre` tells them). The original also returned the *other* eye's landmarks, which its nets
ignore; here all 112 come back, since part of the other eye may be in the crop. The special offset
for MPIIGaze is a matter of that data set's reader and not done here.
"""

from typing import Literal

import numpy as np

from common.arrays import Float, Image
from flame.batch import NUM_EYE_POINTS, NUM_LANDMARKS

Side = Literal["right", "left"]

CROP_SIZE_PX = 120
"""Side of the crop that the published nets see."""
# Points of one eye whose means give the centre: the two eye corners for x, the middle of the
# upper and of the lower lid for y.
_CORNERS = (8, 14)
_LID_MIDDLES = (11, 17)
_FIRST_POINT: dict[str, int] = {"right": 0, "left": NUM_EYE_POINTS}


def eye_centre(landmarks: Float, eye: Side) -> tuple[float, float]:
    """Return the centre (x, y) of an eye in pixels.

    Args:
        landmarks: (112,) pixel coordinates x0..x55, y0..y55.
        eye: The subject's "right" (points 0..27, image left) or "left" (28..55) eye.

    Raises:
        ValueError: Wrong shape, or a coordinate that is not finite.
    """
    _check(landmarks)
    x, y = np.reshape(landmarks, (2, -1))
    first = _FIRST_POINT[eye]
    corners, lids = (x[first + np.array(_CORNERS)], y[first + np.array(_LID_MIDDLES)])
    return float(corners.mean()), float(lids.mean())


def eye_window(
    landmarks: Float, eye: Side, image_size: tuple[int, int], size: int = 120
) -> tuple[int, int]:
    """Return the top-left pixel (x, y) of an eye's window; negative where the frame is padded.

    The window is inside the frame, of `image_size` (height, width), if that is large enough.

    Raises:
        ValueError: As `eye_centre`.
    """
    height, width = image_size
    x, y = eye_centre(landmarks, eye)
    return _start(x, width, size), _start(y, height, size)


def crop_eye(image: Image, landmarks: Float, eye: Side, size: int = 120) -> tuple[Image, Float]:
    """Cut an eye out of a frame and move the landmarks along.

    Args:
        image: (H, W, C) frame.
        landmarks: (112,) pixel coordinates in the frame.
        eye: "right" or "left" eye of the subject.
        size: Side of the crop in pixels.

    Returns:
        The crop (size, size, C), a copy of the image's dtype, zero where the frame ends; and the
        landmarks (112,) of both eyes in pixels of the crop.

    Raises:
        ValueError: As `eye_window`.
    """
    height, width = image.shape[:2]
    x0, y0 = eye_window(landmarks, eye, (height, width), size)
    rows, columns = _overlap(y0, size, height), _overlap(x0, size, width)
    crop = np.zeros((size, size, *image.shape[2:]), dtype=image.dtype)
    crop[rows.start - y0 : rows.stop - y0, columns.start - x0 : columns.stop - x0] = image[
        rows, columns
    ]
    moved = np.reshape(landmarks, (2, -1)) - np.array([[x0], [y0]], dtype=landmarks.dtype)
    return crop, moved.reshape(-1)


def _start(centre: float, length: int, size: int) -> int:
    """Return where a window starts on one axis: inside, or around all of a smaller frame."""
    lowest, highest = sorted((0, length - size))
    return min(max(int(centre) - size // 2, lowest), highest)


def _overlap(start: int, size: int, length: int) -> slice:
    return slice(max(start, 0), min(start + size, length))


def _check(landmarks: Float) -> None:
    if np.shape(landmarks) != (NUM_LANDMARKS,):
        raise ValueError(f"landmarks: got shape {np.shape(landmarks)}, expected ({NUM_LANDMARKS},)")
    bad = np.flatnonzero(~np.isfinite(landmarks))
    if bad.size:
        names = ", ".join(_name(i) for i in bad[:3].tolist())
        raise ValueError(
            f"landmarks: got {bad.size} values that are not finite ({names}); "
            "drop such samples before cropping"
        )


def _name(index: int) -> str:
    axis, point = divmod(index, NUM_LANDMARKS // 2)
    return f"{'xy'[axis]} of point {point}"
