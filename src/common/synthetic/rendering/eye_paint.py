"""Painting one eye: ball, iris, pupil, highlight, lid shadow, lashes and crease."""

from dataclasses import dataclass

import numpy as np

from common.arrays import Array
from common.synthetic.fields import bell, blend, smoothstep
from common.synthetic.people.head import Identity
from common.synthetic.people.identity import Eyes
from common.synthetic.rendering.eyes import EyeState, lid_curves_cm, lids_middle_cm
from common.synthetic.rendering.lighting import FaceLight, Lighting
from common.synthetic.rendering.raytrace import Hits

PUPIL_RGB = np.array([0.006, 0.006, 0.007])
CARUNCLE_TINT = np.array([0.85, 0.42, 0.40])
VESSEL_TINT = np.array([1.0, 0.72, 0.70])
LIMBUS_RGB_SCALE = 0.35
# The cornea bulges: its normal leans away from the gaze, which pulls the highlight inwards.
CORNEA_LEAN = 0.5
HIGHLIGHT_EXPONENT = 260
# How far lashes and crease reach beside the corners, and above and below the middle.
MARGIN_CM, REACH_CM = 0.9, 1.8


@dataclass(frozen=True)
class _Region:
    """The pixels around an eye.

    Attributes:
        slices: rows and columns in the window.
        outward: (h, w) -1 inner corner .. 1 outer corner.
        below_upper: (h, w) cm below the upper lid's edge; negative on the lid.
        above_lower: (h, w) cm above the lower lid's edge.
        pixel_cm: size of a pixel at the head.
    """

    slices: tuple[slice, slice]
    outward: Array
    below_upper: Array
    above_lower: Array
    pixel_cm: float


@dataclass(frozen=True)
class _Ball:
    """The eyeball behind the pixels: unit normal x, y, f.

    `presence` is 1 where the ray meets the ball and fades to 0 at its edge, `off_axis_cm` is
    the distance from the gaze axis, `turn_rad` the angle around it.
    """

    normal: tuple[Array, Array, Array]
    presence: Array
    off_axis_cm: Array
    turn_rad: Array


def paint_eye(
    colour: Array,
    identity: Identity,
    eye: EyeState,
    hits: Hits,
    pixel_cm: float,
    light: FaceLight,
    lighting: Lighting,
) -> None:
    """Paint one eye into the lit head `colour` (h, w, 3) linear RGB, in place.

    `hits` is what the window's rays meet, `light` that of `lighting` in face axes.
    """
    region = _region(identity, eye, hits, pixel_cm)
    if region is None:
        return
    ball = _ball(identity, eye, hits, region)
    shown = _ball_colour(identity, eye, ball, region)
    shown = _light_ball(shown, identity, eye, ball, region, light, lighting)
    patch = colour[region.slices]
    patch *= (1 - _lid_darkness(identity, eye, region))[..., None].astype(np.float32)
    patch += (shown - patch) * _opening(identity, region)[..., None]


def _region(identity: Identity, eye: EyeState, hits: Hits, pixel_cm: float) -> _Region | None:
    x, y, f = hits.point
    half = identity.traits.eyes.half_width_cm
    middle = lids_middle_cm(identity.traits.eyes, eye)
    x2, y2, f2 = (c[::2, ::2] for c in hits.point)
    near = (np.abs(x2 - middle) < half + MARGIN_CM) & (np.abs(y2) < REACH_CM) & (f2 > 0)
    rows, columns = np.flatnonzero(near.any(1)), np.flatnonzero(near.any(0))
    if len(rows) < 2 or len(columns) < 2:
        return None
    slices = slice(2 * rows[0], 2 * rows[-1] + 2), slice(2 * columns[0], 2 * columns[-1] + 2)
    outward = (x[slices] - middle) * (eye.side / half)
    upper, lower = lid_curves_cm(
        identity.traits.eyes, np.clip(outward, -1, 1), eye.closure, eye.downward
    )
    # Points at the back of the head never count as eye.
    y_here = np.where(f[slices] > 0, y[slices] - eye.centre_cm[1], 99.0)
    return _Region(slices, outward, y_here - upper, lower - y_here, pixel_cm)


def _opening(identity: Identity, region: _Region) -> Array:
    """Return where the ball shows between the lids, in [0, 1], antialiased."""
    soft = max(0.5 * region.pixel_cm, 0.02)
    within = (1 - np.abs(region.outward)) * identity.traits.eyes.half_width_cm
    lids = np.minimum(region.below_upper, region.above_lower)
    return smoothstep(-soft, soft, lids) * smoothstep(-soft, soft, within)


def _ball(identity: Identity, eye: EyeState, hits: Hits, region: _Region) -> _Ball:
    radius = identity.traits.eyes.ball_radius_cm
    rays = [d[region.slices] for d in hits.rays.directions]
    start = hits.rays.origin - eye.centre_cm
    along = sum(d * o for d, o in zip(rays, start, strict=True))
    inside = along * along - (start @ start - radius**2)
    distance = -along - np.sqrt(np.maximum(inside, 0))
    x, y, f = ((o + distance * d) / radius for o, d in zip(start, rays, strict=True))
    cosine = np.clip(x * eye.gaze[0] + y * eye.gaze[1] + f * eye.gaze[2], -1, 1)
    left, up = eye.iris_axes
    turn = np.arctan2(x * up[0] + y * up[1] + f * up[2], x * left[0] + y * left[1] + f * left[2])
    off_axis = np.where(cosine > 0, np.sqrt(1 - cosine * cosine) * radius, 9.0)
    return _Ball((x, y, f), smoothstep(0.0, 0.30, inside), off_axis, turn)


def _ball_colour(identity: Identity, eye: EyeState, ball: _Ball, region: _Region) -> Array:
    """Return the unlit colour (h, w, 3): sclera, iris, pupil, and flesh where there is no ball."""
    eyes = identity.traits.eyes
    iris, pupil = _discs(identity, eye, ball, region)
    shown = blend(_sclera(identity, ball, region), _iris(identity, ball), iris)
    shown = blend(shown, PUPIL_RGB, pupil)
    flesh = identity.traits.skin.rgb * CARUNCLE_TINT
    caruncle = smoothstep(0.80, 0.98, -region.outward) * 0.85
    shown = blend(shown, flesh, caruncle * (1 - iris))
    conjunctiva = 0.5 * eyes.sclera_rgb * VESSEL_TINT + 0.25 * flesh
    return blend(np.broadcast_to(conjunctiva, shown.shape), shown, ball.presence)


def _discs(identity: Identity, eye: EyeState, ball: _Ball, region: _Region) -> tuple[Array, Array]:
    """Return where iris and pupil are, in [0, 1]."""
    soft = max(0.6 * region.pixel_cm, 0.025)
    radii = identity.traits.eyes.iris_radius_cm, eye.pupil_radius_cm
    iris, pupil = (1 - smoothstep(r - soft, r + soft, ball.off_axis_cm) for r in radii)
    return iris, pupil


def _sclera(identity: Identity, ball: _Ball, region: _Region) -> Array:
    eyes = identity.traits.eyes
    away = smoothstep(eyes.iris_radius_cm, 1.25, ball.off_axis_cm)
    branches = np.sin(ball.turn_rad * 23 + 3 * np.sin(ball.off_axis_cm * 9 + identity.traits.seed))
    vessels = smoothstep(0.75, 1.0, branches) * away * 0.5 + 0.35 * away * np.abs(region.outward)
    tint = 1 + (eyes.redness * vessels)[..., None] * (VESSEL_TINT - 1)
    return eyes.sclera_rgb * tint * (1 - 0.30 * away)[..., None]


def _iris(identity: Identity, ball: _Ball) -> Array:
    eyes, seed = identity.traits.eyes, identity.traits.seed
    out = ball.off_axis_cm / eyes.iris_radius_cm
    fibres = (
        1 + 0.18 * np.sin(ball.turn_rad * 13 + seed) + 0.12 * np.sin(ball.turn_rad * 29 + 2 * seed)
    )
    limbus = 1 - (1 - LIMBUS_RGB_SCALE) * smoothstep(0.78, 1.0, out)
    return eyes.iris_rgb * (fibres * np.maximum(1.3 - 0.5 * out, 0.3) * limbus)[..., None]


def _light_ball(
    shown: Array,
    identity: Identity,
    eye: EyeState,
    ball: _Ball,
    region: _Region,
    light: FaceLight,
    lighting: Lighting,
) -> Array:
    x, y, f = ball.normal
    facing = np.maximum(x * light.towards[0] + y * light.towards[1] + f * light.towards[2], 0)
    shadow = 0.15 + 0.85 * smoothstep(0.0, 0.50, region.below_upper)
    shadow = shadow * (0.62 + 0.38 * smoothstep(0, 0.2, region.above_lower))
    shadow = shadow * (1 - 0.45 * smoothstep(0.45, 1.0, region.outward))
    # The nose takes light from the inner corner.
    shadow = shadow * (1 - 0.65 * smoothstep(0.25, 0.95, -region.outward))
    lit = (facing * 0.75 + 0.25) * lighting.lamp + lighting.ambient
    highlight = _highlight(identity, eye, ball, light) * lighting.highlight * 1.6 * ball.presence
    return shown * (lit * shadow)[..., None] * lighting.rgb + highlight[..., None]


def _highlight(identity: Identity, eye: EyeState, ball: _Ball, light: FaceLight) -> Array:
    lean = CORNEA_LEAN * (ball.off_axis_cm < identity.traits.eyes.iris_radius_cm)
    x, y, f = (n * (1 + lean) - g * lean for n, g in zip(ball.normal, eye.gaze, strict=True))
    halfway = light.halfway
    mirror = (x * halfway[0] + y * halfway[1] + f * halfway[2]) / np.sqrt(x * x + y * y + f * f)
    return np.maximum(mirror, 0) ** HIGHLIGHT_EXPONENT


def _lid_darkness(identity: Identity, eye: EyeState, region: _Region) -> Array:
    """Return how much lashes, the lid's crease and the socket darken the skin, in [0, 1]."""
    eyes = identity.traits.eyes
    span = np.abs(region.outward)
    upper, lower = region.below_upper, region.above_lower
    lashes: Array = bell(np.minimum(upper, 0.0), 0.0, 0.10) * (upper < 0.06)
    lashes = lashes * smoothstep(-1.16, -0.9, -span) * eyes.lash
    below: Array = bell(np.minimum(lower, 0.0), 0.0, 0.06) * (lower < 0.04)
    below = below * smoothstep(-1.1, -0.8, -span) * 0.42
    crease = bell(upper, -eyes.crease_cm + 0.15 * eye.downward, 0.07)
    crease = crease * smoothstep(-1.25, -0.7, -span) * 0.36 * (1 - 0.7 * eye.closure)
    return 1 - (1 - lashes) * (1 - below) * (1 - crease) * (1 - _socket_shade(eyes, region))


def _socket_shade(eyes: Eyes, region: _Region) -> Array:
    """Return how dark the socket is, most at the corners and least on the lid's ridge."""
    beyond = np.maximum(np.maximum(-region.below_upper, -region.above_lower), 0.0)
    around: Array = bell(beyond, 0.0, 0.75) * bell(region.outward, -0.15, 0.75)
    inner = 0.45 * bell(beyond, 0.0, 0.40) * bell(region.outward, -1.05, 0.28)
    outer = 0.45 * bell(beyond, 0.0, 0.25) * bell(region.outward, 1.03, 0.16)
    return 1 - (1 - eyes.shade * around) * (1 - inner) * (1 - outer)
