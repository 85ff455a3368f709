"""OpenFace's 2 x 28 eye landmarks from MediaPipe's refined face mesh or its iris model.

An eye is 28 points: 0..7 the iris ring, clockwise from the image-left; 8..19 the eyelid ring,
clockwise from the image-left corner; 20..27 the pupil ring, counter-clockwise from the lower left.
Points 0..27 are the eye at the image's left (the subject's right), 28..55 the other, in the same
image order. The 112 numbers are x_0..x_55, y_0..y_55.
"""

import numpy as np

from common.arrays import Float

NUM_EYE_POINTS = 56

# Rows: image-left eye, image-right eye. OpenFace points 8..19: left corner, upper lid from left
# to right, right corner, lower lid from right to left.
LIDS = np.array(
    [
        [33, 161, 160, 159, 158, 157, 133, 154, 153, 145, 144, 163],
        [362, 384, 385, 386, 387, 388, 263, 390, 373, 374, 380, 381],
    ]
)
IRIS_CENTRES = np.array([468, 473])
# OpenFace points 0, 2, 4, 6: image-left, top, image-right, bottom of the iris.
IRIS_QUARTERS = np.array([[471, 470, 469, 472], [476, 475, 474, 477]])
# MediaPipe does not see the pupil. OpenFace's mean shape has 2.6 mm in an iris of 6.0 mm.
PUPIL_OVER_IRIS = 0.435

# Flipping the image: where each of the 28 points of an eye comes from in the other eye.
_MIRRORED_IRIS = [4, 3, 2, 1, 0, 7, 6, 5]
_MIRRORED_LIDS = [14, 13, 12, 11, 10, 9, 8, 19, 18, 17, 16, 15]
_MIRRORED_PUPIL = [22, 21, 20, 27, 26, 25, 24, 23]
_MIRRORED_EYE = np.array([*_MIRRORED_IRIS, *_MIRRORED_LIDS, *_MIRRORED_PUPIL])
MIRRORED_POINTS = np.concatenate([_MIRRORED_EYE + 28, _MIRRORED_EYE])


def eye_landmarks_from_mesh(mesh: Float) -> Float:
    """Return the eye landmarks of a refined face mesh in OpenFace's order.

    The lids are 12 of the mesh's 16 points an eye.

    Args:
        mesh: (..., 478, 2 or 3) in pixels; z is ignored.

    Returns:
        (..., 112) x_0..x_55, y_0..y_55 in the same pixels.
    """
    points = mesh[..., :2]
    return eye_landmarks(
        points[..., LIDS, :], points[..., IRIS_QUARTERS, :], points[..., IRIS_CENTRES, :]
    )


def eye_landmarks(lids: Float, iris_quarters: Float, iris_centres: Float) -> Float:
    """Return the eye landmarks of two eyes, the one at the image's left first.

    The iris ring is the ellipse through its four points; the pupil ring is the iris ring scaled to
    OpenFace's mean pupil, so it carries nothing of its own.

    Args:
        lids: (..., 2, 12, 2) x and y of OpenFace's points 8..19.
        iris_quarters: (..., 2, 4, 2) image-left, top, image-right and bottom of the iris.
        iris_centres: (..., 2, 2).

    Returns:
        (..., 112) x_0..x_55, y_0..y_55 in the same pixels.
    """
    centres = iris_centres[..., None, :]  # (..., 2, 1, 2)
    iris = _iris_ring(iris_quarters, centres)
    pupil = centres + PUPIL_OVER_IRIS * (iris[..., ::-1, :] - centres)
    eyes = np.concatenate([iris, lids, pupil], axis=-2)  # (..., 2, 28, 2)
    lead = eyes.shape[:-3]
    return np.moveaxis(eyes.reshape(*lead, NUM_EYE_POINTS, 2), -1, -2).reshape(*lead, -1)


def _iris_ring(quarters: Float, centres: Float) -> Float:
    """Fill the ellipse of four points (..., 4, 2) with those halfway between neighbours."""
    arms = quarters - centres
    between = centres + (arms + np.roll(arms, -1, axis=-2)) / np.sqrt(2)
    ring = np.stack([quarters, between], axis=-2)  # (..., 4, 2, 2)
    return ring.reshape(*quarters.shape[:-2], 8, 2)


def mirror_eye_landmarks(landmarks: Float, image_width: int) -> Float:
    """Return the eye landmarks (..., 112) seen in the horizontally flipped image."""
    points = landmarks.reshape(*landmarks.shape[:-1], 2, NUM_EYE_POINTS)[..., MIRRORED_POINTS]
    mirrored = points.copy()
    mirrored[..., 0, :] = image_width - 1 - points[..., 0, :]
    return mirrored.reshape(landmarks.shape)
