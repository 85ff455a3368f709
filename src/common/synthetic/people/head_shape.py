"""The head as a distance from its middle in every direction."""

import numpy as np

from common.arrays import Array
from common.synthetic.fields import bell, bump, smooth_max, smoothstep
from common.synthetic.people.hair import HANGING_CUTS, hair_lift_cm, hanging_radius
from common.synthetic.people.identity import Eyes, Mouth, Nose, Skull, Traits

Directions = tuple[Array, Array, Array]

# Skin over the eyeball.
LID_THICKNESS_CM = 0.07
# Half width and half height of what is flat about an eye.
ORBIT_CM = (1.9, 1.2)
EAR_Y_CM, EAR_F_CM = 0.9, -1.3
CRANIUM_FULLNESS = 0.05


def eyeball_depth_cm(traits: Traits) -> float:
    """Return the f of the eyeballs' centres: behind the skin by a radius less the protrusion."""
    return _socket_depth_cm(traits) + traits.eyes.protrusion_cm - traits.eyes.ball_radius_cm


def head_radius(traits: Traits, directions: Directions, eye_depth_cm: float) -> tuple[Array, Array]:
    """Return the distance (cm) from the head's middle to its surface, and the hair's share of it.

    `directions` are unit ones, (x, y, f) in face axes, arrays of one shape.
    """
    dx, dy, df = directions
    radius = _bare_radius(traits, directions)
    for side in (-1, 1):
        centre = np.array([side * traits.eyes.spacing_cm / 2, 0.0, eye_depth_cm])
        radius = _with_eyeball(traits.eyes, directions, radius, centre)
    if traits.hair.cut not in HANGING_CUTS:
        radius = radius + _ears(traits.skull, directions, radius)
    bare = radius
    radius = hanging_radius(traits.hair, directions, radius, traits.skull.half_width_cm)
    radius = radius + hair_lift_cm(traits.hair, radius * dx, radius * dy, radius * df)
    return radius, radius - bare


def _socket_depth_cm(traits: Traits) -> float:
    """Return the f of the skin before the middle of an eye."""
    half_spacing = traits.eyes.spacing_cm / 2
    depth = 8.0
    for _ in range(8):
        point = np.array([half_spacing, 0.0, depth])
        norm = np.linalg.norm(point)
        x, y, f = (np.array([c]) for c in point / norm)
        depth = max(float(_boned_radius(traits, (x, y, f))[0] * depth / norm), 1.0)
    return depth


def _bare_radius(traits: Traits, directions: Directions) -> Array:
    """Return the radius of the face without eyeballs, ears and hair.

    The corners of an eye lie on a plane that turns outwards less than the skull does.
    """
    dx, dy, df = directions
    radius = _boned_radius(traits, directions)
    eyes, half = traits.eyes, traits.eyes.spacing_cm / 2
    ahead = np.maximum(df + eyes.slant * np.abs(dx), 0.1)
    plane = (_socket_depth_cm(traits) + eyes.slant * half) / ahead
    out, down = (radius * np.abs(dx) - half) / ORBIT_CM[0], radius * dy / ORBIT_CM[1]
    weight = np.exp(-0.5 * (out**4 + down**4)) * smoothstep(0.2, 0.5, df)
    return radius + weight * (plane - radius)


def _boned_radius(traits: Traits, directions: Directions) -> Array:
    """Return the radius of skull, bones, nose, mouth and chin."""
    dx, dy, df = directions
    radius = _skull_radius(traits.skull, directions)
    x, y = radius * dx, radius * dy
    relief = (
        _bone_relief(traits, x, y)
        + _nose_relief(traits.nose, x, y)
        + _mouth_relief(traits.mouth, traits.nose, x, y)
        + _chin_relief(traits, x, y)
    )
    return radius + relief * smoothstep(-0.05, 0.35, df)


def _skull_radius(skull: Skull, directions: Directions) -> Array:
    """Return a superellipsoid whose width tapers towards the jaw."""
    dx, dy, df = directions
    width = skull.half_width_cm * (1 - skull.jaw_taper * smoothstep(0.38, 1.0, dy))
    stretch = np.where(dy > 0, skull.chin_stretch, 1.0)
    height = skull.half_height_cm * stretch
    width = width * (1 + CRANIUM_FULLNESS * smoothstep(0.1, 0.6, -dy))
    q = skull.squareness
    round_part = ((dx / width) ** 2 + (df / skull.half_depth_cm) ** 2) ** (q / 2)
    return (round_part + np.abs(dy / height) ** q) ** (-1 / q)


def _bone_relief(traits: Traits, x: Array, y: Array) -> Array:
    """Brow ridge, eye sockets, cheekbones and the hollow below them."""
    skull, half = traits.skull, traits.eyes.spacing_cm / 2
    side = np.abs(x)
    relief = skull.brow_ridge_cm * bump(side, y, (half, traits.brows.y_cm), (1.8, 0.8))
    relief -= 0.25 * bump(x, y, (0.0, traits.brows.y_cm + 0.8), (0.9, 0.9))
    relief -= skull.socket_cm * bump(side, y, (half * 0.93, 0.1), (1.55, 1.05))
    lift = 0.25 * max(traits.mouth.smile, 0.0)
    relief += (skull.cheek_cm + lift) * bump(side, y, (4.3, 3.1 - lift), (1.5, 1.6))
    return relief - 0.3 * bump(side, y, (4.6, 7.0), (1.3, 1.9))


def _nose_relief(nose: Nose, x: Array, y: Array) -> Array:
    side, tip = np.abs(x), nose.tip_y_cm
    ramp = nose.bridge_cm + (nose.height_cm - nose.bridge_cm) * smoothstep(-1.6, tip, y)
    profile = ramp * smoothstep(-2.6, -0.6, y) * (1 - smoothstep(tip + 0.20, tip + 1.30, y))
    width = 0.55 + (nose.half_width_cm - 0.45) * smoothstep(-0.5, tip, y)
    relief = profile * np.exp(-0.5 * (side / width) ** 2.2)
    wing = (1.05 * nose.half_width_cm + 0.25, tip + 0.25)
    return relief + 0.70 * bump(side, y, wing, (0.44, 0.52))


def mouth_line_cm(mouth: Mouth, x: Array) -> Array:
    """Return the y of the line between the lips: bent up at the corners by a smile."""
    return mouth.y_cm - 0.075 * mouth.smile * x**2


def mouth_gap_cm(mouth: Mouth, x: Array) -> Array:
    """Return how far the lips are apart: most in the middle, nothing at the corners."""
    return mouth.open_cm * (1 - np.clip(np.abs(x) / smiling_half_width_cm(mouth), 0, 1) ** 2)


def smiling_half_width_cm(mouth: Mouth) -> float:
    """Return half the width of the mouth, widened by a smile."""
    return mouth.half_width_cm * (1 + 0.10 * max(mouth.smile, 0.0))


def _mouth_relief(mouth: Mouth, nose: Nose, x: Array, y: Array) -> Array:
    """Muzzle, both lips, the groove between them and the one below the nose."""
    side = np.abs(x)
    line, gap = mouth_line_cm(mouth, x), mouth_gap_cm(mouth, x)
    relief = 1.15 * bump(x, y, (0.0, mouth.y_cm), (2.4, 1.7))
    lips = 0.40 * bell(y, line - 0.33, 0.24) + 0.48 * bell(y, line + gap + 0.42, 0.30)
    lips -= 0.12 * bell(y, line, 0.10)
    relief += lips * np.exp(-0.5 * (side / (smiling_half_width_cm(mouth) * 0.62)) ** 3)
    relief -= 0.22 * bump(x, y, (0.0, mouth.y_cm + 1.55), (1.5, 0.50))
    relief -= 0.10 * bump(x, y, (0.0, nose.tip_y_cm + 1.85), (0.24, 0.45))
    return relief - _nasolabial_groove(mouth, nose, side, y)


def _nasolabial_groove(mouth: Mouth, nose: Nose, side: Array, y: Array) -> Array:
    depth = 0.05 + 0.09 * max(mouth.smile, 0.0)
    line = 1.6 + (y - nose.tip_y_cm) * 0.55
    start = smoothstep(nose.tip_y_cm - 0.2, nose.tip_y_cm + 0.6, y)
    stop = 1 - smoothstep(mouth.y_cm - 0.2, mouth.y_cm + 0.8, y)
    return depth * bell(side, line, 0.25) * start * stop


def _chin_relief(traits: Traits, x: Array, y: Array) -> Array:
    return traits.skull.chin_cm * bump(x, y, (0.0, traits.mouth.y_cm + 3.8), (1.9, 1.4))


def _with_eyeball(eyes: Eyes, directions: Directions, radius: Array, centre: Array) -> Array:
    """Bulge the skin over one eyeball at `centre` (3,)."""
    dx, dy, df = directions
    ball = eyes.ball_radius_cm + LID_THICKNESS_CM
    along = dx * centre[0] + dy * centre[1] + df * centre[2]
    discriminant = along * along - (centre @ centre - ball * ball)
    hit = along + np.sqrt(np.maximum(discriminant, 0))
    sphere = np.where(discriminant > 0, hit, radius - 1)
    near = bump(radius * dx, radius * dy, (centre[0], centre[1]), (1.35, 1.0))
    weight = smoothstep(0.15, 0.5, near)
    return radius * (1 - weight) + weight * smooth_max(radius, sphere, 0.12)


def _ears(skull: Skull, directions: Directions, radius: Array) -> Array:
    """Return how far the ears stand out."""
    dx, dy, df = directions
    y, f = radius * dy, radius * df
    outline = np.exp(-((((y - EAR_Y_CM) / 2.6) ** 2 + ((f - EAR_F_CM) / 1.3) ** 2) ** 1.5))
    hollow = bump(y, f, (EAR_Y_CM, EAR_F_CM), (1.0, 0.5))
    return skull.ear_cm * (outline - 0.35 * hollow) * (np.abs(dx) > 0.5)
