"""Eye geometry: the lids' curves and the 28 landmarks of OpenFace on each eye.

Order (OpenFace 2's 28-point eye model, the same in the image for both eyes): 0..7 iris
clockwise from the image's left; 8..19 lids clockwise from the left corner, 14 the right corner;
20..27 pupil counter-clockwise from the lower left.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from common.arrays import Array
from common.synthetic.people.head import Identity
from common.synthetic.people.identity import Eyes
from common.synthetic.rendering.placement import HeadPlacement, project
from common.synthetic.rendering.raytrace import skin_points

SIDES = (-1, 1)
# How lids follow the eye: cm of travel per unit of the gaze's vertical component.
UPPER_LID_TRAVEL_CM, LOWER_LID_TRAVEL_CM = 0.90, 0.05
MAX_VERTICAL = 0.6
_CLOCKWISE_FROM_LEFT = np.arange(8) / 8 * 2 * np.pi
_PUPIL_ORDER = np.arange(7, -1, -1)
_ALONG_LIDS = np.concatenate([np.linspace(-1, 1, 7), np.linspace(1, -1, 7)[1:-1]])
_ON_UPPER_LID = np.arange(12) < 7


@dataclass(frozen=True)
class EyeState:
    """What one eye does.

    Attributes:
        side: -1 the eye left in the image (the person's right), 1 the other.
        centre_cm: (3,) centre of the ball in face axes.
        gaze: (3,) unit direction in face axes.
        pupil_radius_cm: radius of the pupil.
        closure: 0 open .. 1 shut.
    """

    side: int
    centre_cm: Array
    gaze: Array
    pupil_radius_cm: float
    closure: float

    @property
    def downward(self) -> float:
        """How far down the eye looks, within what lids follow."""
        return float(np.clip(self.gaze[1], -MAX_VERTICAL, MAX_VERTICAL))

    @cached_property
    def iris_axes(self) -> tuple[Array, Array]:
        """Unit vectors (3,) across the gaze: towards the image's left, and up, of the head."""
        x, y, f = self.gaze
        across = float(np.hypot(y, f))
        up = np.array([0.0, -f, y]) / across
        # The cross product of the two, written out: NumPy's costs more than the rest.
        left = np.array([-across, x * y / across, x * f / across])
        return left, up


def lids_middle_cm(eyes: Eyes, eye: EyeState) -> float:
    """Return face x halfway between the corners of the lids."""
    return float(eye.centre_cm[0]) + eye.side * eyes.outset_cm


def lid_curves_cm(
    eyes: Eyes, outward: Array, closure: float, downward: float
) -> tuple[Array, Array]:
    """Return y of the upper and of the lower lid below the ball's centre, cm.

    `outward` is -1 at the inner corner .. 1 at the outer one, `closure` 0 open .. 1 shut,
    `downward` as of `EyeState`.
    """
    bow = np.clip(1 - np.abs(outward) ** 2.3, 0, 1)
    base = eyes.corner_cm - eyes.tilt * eyes.half_width_cm * outward
    lower = base + (eyes.lower_cm + LOWER_LID_TRAVEL_CM * downward) * bow**0.85 * (
        1 + 0.15 * outward
    )
    opening = (eyes.upper_cm - UPPER_LID_TRAVEL_CM * downward) * bow**0.75
    upper = base - opening * (1 - eyes.peak * outward)
    return upper + (lower - upper) * closure, lower


def eye_points_cm(identity: Identity, eyes: tuple[EyeState, EyeState]) -> Array:
    """Return the 28 landmarks of each eye (56, 3) in face axes, cm."""
    lids = skin_points(identity, np.concatenate([_lids_xy_cm(identity, eye) for eye in eyes]))
    points = []
    for eye, lid in zip(eyes, np.split(lids, 2), strict=True):
        iris = _ring(identity, eye, identity.traits.eyes.iris_radius_cm)
        pupil = _ring(identity, eye, eye.pupil_radius_cm)[_PUPIL_ORDER]
        points += [iris, lid, pupil]
    return np.concatenate(points)


def _ring(identity: Identity, eye: EyeState, radius_cm: float) -> Array:
    """Return 8 points of a circle about the gaze on the ball, clockwise from the left."""
    left, up = eye.iris_axes
    ball = identity.traits.eyes.ball_radius_cm
    angle = _CLOCKWISE_FROM_LEFT[:, None]
    around = radius_cm * (np.cos(angle) * left + np.sin(angle) * up)
    return eye.centre_cm + eye.gaze * np.sqrt(ball**2 - radius_cm**2) + around


def _lids_xy_cm(identity: Identity, eye: EyeState) -> Array:
    """Return face x and y (12, 2) of the lids' landmarks."""
    eyes = identity.traits.eyes
    upper, lower = lid_curves_cm(eyes, eye.side * _ALONG_LIDS, eye.closure, eye.downward)
    x = lids_middle_cm(eyes, eye) + _ALONG_LIDS * eyes.half_width_cm
    y = eye.centre_cm[1] + np.where(_ON_UPPER_LID, upper, lower)
    return np.stack([x, y], 1)


@dataclass(frozen=True)
class EyeLandmarks:
    """Landmarks of both eyes.

    Attributes:
        pixels: (112,) x0..x55, y0..y55 in pixels; 0..27 the eye left in the image.
        points_cm: (56, 3) in camera axes.
        centres_cm: (2, 3) centres of the balls in camera axes.
    """

    pixels: Array
    points_cm: Array
    centres_cm: Array


def locate_landmarks(
    identity: Identity,
    placement: HeadPlacement,
    camera_matrix: Array,
    eyes: tuple[EyeState, EyeState],
) -> EyeLandmarks:
    """Return the landmarks of both eyes (image left first)."""
    points = placement.to_camera(eye_points_cm(identity, eyes))
    centres = placement.to_camera(np.stack([eye.centre_cm for eye in eyes]))
    return EyeLandmarks(project(camera_matrix, points).T.reshape(-1), points, centres)
