"""Drawing glasses: two rims, a bridge and two temples, hidden where the head is nearer."""

import cv2
import numpy as np

from common.arrays import Array
from common.synthetic.people.head import Identity
from common.synthetic.people.head_shape import EAR_F_CM
from common.synthetic.people.identity import Glasses
from common.synthetic.rendering.lighting import Lighting
from common.synthetic.rendering.placement import HeadPlacement, project
from common.synthetic.rendering.raytrace import Hits, Window

F32 = np.float32

# Rims sit this far before the lids and before the bridge of the nose.
LENS_GAP_CM = 0.9
RIM_DROP_CM = 0.25
NOSE_CUT = 0.35
# Glasses stand out sideways from a turned head by less than this.
GLASSES_REACH_CM = 2.5
# Rays that end nearer than this to the surface meet the head.
ON_HEAD_CM = 0.3
POINTS_PER_RIM, POINTS_PER_TEMPLE = 48, 24
# A wire counts as hidden only this far behind the surface: temples lie on the skin at the ears,
# and rims may sink into the cheeks of some faces.
TEMPLE_TOLERANCE_CM, RIM_TOLERANCE_CM = 0.25, 1.2
SUBPIXEL_BITS = 4


def paint_glasses(
    canvas: Array,
    identity: Identity,
    placement: HeadPlacement,
    camera_matrix: Array,
    lighting: Lighting,
    hits: Hits,
    window: Window,
) -> None:
    """Draw the person's glasses, if any, over the head already on `canvas`, in place."""
    glasses = identity.traits.glasses
    if glasses is None:
        return
    rims = [_rim_cm(identity, glasses, side) for side in (-1, 1)]
    front = [*rims, _bridge_cm(identity, glasses, rims[0][0, 2])]
    temples = [_temple_cm(identity, rim, side) for rim, side in zip(rims, (-1, 1), strict=True)]
    patch = canvas[window.slices]
    light = lighting.lamp * 0.7 + lighting.ambient
    _paint_lenses(patch, rims, glasses, placement, camera_matrix, lighting, window)
    mask = np.zeros(patch.shape[:2], np.uint8)
    width_px = glasses.wire_cm * camera_matrix[0, 0] / placement.position_cm[2]
    for wires, tolerance_cm in ((front, RIM_TOLERANCE_CM), (temples, TEMPLE_TOLERANCE_CM)):
        for wire in wires:
            points_cm = placement.to_camera(wire)
            pixels = project(camera_matrix, points_cm) - [window.x0, window.y0]
            visible = _is_before_head(points_cm, pixels, hits, tolerance_cm)
            _draw_runs(mask, pixels, visible, width_px)
    rgb = (glasses.rgb * light * lighting.rgb).astype(F32)
    _compose_wires(patch, mask, width_px, rgb, hits)


def _compose_wires(patch: Array, mask: Array, width_px: float, rgb: Array, hits: Hits) -> None:
    """Paint the wires (`mask` (h, w) uint8) and the faint shade they cast on the skin below."""
    x, y, width, height = cv2.boundingRect(mask)
    shift = max(round(width_px * 1.5), 1)
    margin = shift + int(4 * width_px) + 4
    box = (
        slice(max(y - margin, 0), y + height + margin),
        slice(max(x - margin, 0), x + width + margin),
    )
    patch, mask, gap_cm = patch[box], mask[box], hits.gap_cm[box]
    shade = cv2.GaussianBlur(np.roll(mask, shift, axis=0), (0, 0), 1.0 + width_px)
    patch *= 1 - (shade * (gap_cm < ON_HEAD_CM)).astype(F32)[..., None] * F32(0.25 / 255)
    patch += (rgb - patch) * (mask.astype(F32)[..., None] * F32(min(width_px, 1.0) / 255))


def _rim_cm(identity: Identity, glasses: Glasses, side: int) -> Array:
    """Return a closed curve (n, 3) before one eye in face axes: a superellipse."""
    centre = identity.eye_centre_cm(side)
    depth = centre[2] + identity.traits.eyes.ball_radius_cm + LENS_GAP_CM
    turn = np.linspace(0, 2 * np.pi, POINTS_PER_RIM + 1)
    power = 2 / glasses.squareness
    x = np.sign(np.cos(turn)) * np.abs(np.cos(turn)) ** power * glasses.half_width_cm
    y = np.sign(np.sin(turn)) * np.abs(np.sin(turn)) ** power * glasses.half_height_cm
    # Room for the nose: the lower inner corner is cut, and the rims of both eyes must not touch.
    is_lower_inner = (side * x < 0) & (y > 0)
    x = x + side * NOSE_CUT * is_lower_inner * np.abs(x) * y / glasses.half_height_cm
    middle = max(abs(centre[0]), glasses.half_width_cm + 0.75)
    # Frames wrap around the face.
    wrap = 0.35 * (np.abs(side * middle + x) / 5.5) ** 2
    return np.stack([side * middle + x, y + RIM_DROP_CM, depth - wrap], 1)


def _bridge_cm(identity: Identity, glasses: Glasses, depth: float) -> Array:
    inner = max(identity.traits.eyes.spacing_cm / 2, glasses.half_width_cm + 0.75)
    inner -= glasses.half_width_cm
    s = np.linspace(-1, 1, 9)
    return np.stack([s * inner, -0.35 - 0.15 * (1 - s * s), depth + 0.25 * (1 - s * s)], 1)


def _temple_cm(identity: Identity, rim: Array, side: int) -> Array:
    """Return the bar (n, 3) from the rim's outer edge to the top of the ear."""
    outer = rim[np.argmax(side * rim[:, 0])] + [0.0, -0.5, 0.0]
    ear_x = side * (identity.traits.skull.half_width_cm + 0.15)
    ear = np.array([ear_x, -0.9, EAR_F_CM + 0.6])
    s = np.linspace(0, 1, POINTS_PER_TEMPLE)[:, None]
    bar = outer + (ear - outer) * s
    # First straight back from a short end piece, then along the head.
    bar[:, 0] += side * 0.35 * np.sin(np.pi * s[:, 0])
    return bar


def _draw_runs(mask: Array, pixels: Array, visible: Array, width_px: float) -> None:
    fixed = np.round(pixels * 2**SUBPIXEL_BITS).astype(np.int32)
    thickness = max(round(width_px), 1)
    for run in _runs(visible):
        line = [fixed[run].reshape(-1, 1, 2)]
        cv2.polylines(mask, line, False, 255, thickness, cv2.LINE_AA, SUBPIXEL_BITS)


def _is_before_head(points_cm: Array, pixels: Array, hits: Hits, tolerance_cm: float) -> Array:
    """Return which points (n,) no part of the head hides."""
    height, width = hits.distance_cm.shape
    column = np.clip(np.round(pixels[:, 0]).astype(int), 0, width - 1)
    row = np.clip(np.round(pixels[:, 1]).astype(int), 0, height - 1)
    surface = np.where(hits.gap_cm[row, column] < ON_HEAD_CM, hits.distance_cm[row, column], np.inf)
    return np.linalg.norm(points_cm, axis=1) < surface + tolerance_cm


def _runs(visible: Array) -> list[slice]:
    """Return the stretches of at least two consecutive visible points."""
    padded = np.concatenate([[False], visible, [False]]).astype(int)
    starts, stops = np.flatnonzero(np.diff(padded) == 1), np.flatnonzero(np.diff(padded) == -1)
    return [slice(a, b) for a, b in zip(starts, stops, strict=True) if b - a >= 2]


def _paint_lenses(
    patch: Array,
    rims: list[Array],
    glasses: Glasses,
    placement: HeadPlacement,
    camera_matrix: Array,
    lighting: Lighting,
    window: Window,
) -> None:
    """Add the faint veil of a reflection, strongest at the lens's upper outer part."""
    mask = np.zeros(patch.shape[:2], np.uint8)
    for rim in rims:
        pixels = project(camera_matrix, placement.to_camera(rim)) - [window.x0, window.y0]
        fixed = np.round(pixels * 2**SUBPIXEL_BITS).astype(np.int32)
        cv2.fillPoly(mask, [fixed], 255, cv2.LINE_AA, SUBPIXEL_BITS)
    band = np.sin(np.linspace(0, 9, patch.shape[0], dtype=F32))[:, None] * 0.5 + 0.5
    veil = mask.astype(F32) * F32(1 / 255) * band * F32(0.10 * glasses.reflection)
    patch += (veil * F32(lighting.ambient + lighting.lamp))[..., None]
