"""What surrounds the head in a portrait: hair behind it, neck, clothes, locks on the shoulders.

These are flat layers, painted in this order before the head; they follow the head's place and
hang straight down, but do not turn with it.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from common.arrays import Array
from common.synthetic.fields import blend_into, smoothstep, tinted
from common.synthetic.people.head import Identity
from common.synthetic.people.identity import HairCut, Traits
from common.synthetic.rendering.lighting import Lighting
from common.synthetic.rendering.placement import HeadPlacement, project

F32 = np.float32

# How far behind the head's middle neck and shoulders are, seen from the camera.
TORSO_BEHIND_CM = 4.0
SHOULDER_Y_CM, NECK_BASE_Y_CM = 21.5, 17.0
# Polygons are drawn with 4 binary digits below the pixel.
SUBPIXEL_BITS = 4
LOCKS_STREAM = 15485863
_HALF_ROUND = np.linspace(np.pi, 2 * np.pi, 25)


@dataclass(frozen=True)
class _Easel:
    """A canvas (H, W, 3) linear RGB float32, painted in place, and where flat layers go on it.

    The torso's axis and the height of the eyes meet in `origin_px` (2,).
    """

    canvas: Array
    origin_px: Array
    px_per_cm: float
    lighting: Lighting

    def pixels(self, points_cm: Array) -> Array:
        """Return pixels of layer points (n, 2) in cm."""
        return points_cm * self.px_per_cm + self.origin_px


def paint_body(
    canvas: Array,
    identity: Identity,
    placement: HeadPlacement,
    camera_matrix: Array,
    lighting: Lighting,
) -> None:
    """Paint all that is not the head onto `canvas` (H, W, 3) linear RGB float32, in place."""
    traits = identity.traits
    torso_cm = placement.position_cm + np.array([0.0, 0.0, TORSO_BEHIND_CM])
    easel = _Easel(
        canvas,
        project(camera_matrix, torso_cm),
        float(camera_matrix[0, 0] / torso_cm[2]),
        lighting,
    )
    if traits.hair.cut in (HairCut.LONG, HairCut.BOB, HairCut.CURLY):
        _paint_hair(easel, traits, _back_hair_cm(traits, easel, placement, camera_matrix), 0.45)
    _paint_neck(easel, traits, placement, camera_matrix)
    _paint_clothes(easel, traits)
    if traits.hair.cut is HairCut.LONG:
        for side in (-1, 1):
            lock = _lock_cm(traits, easel, placement, camera_matrix, side)
            _paint_hair(easel, traits, lock, 0.85)


def _anchor_cm(
    easel: _Easel, placement: HeadPlacement, camera_matrix: Array, point: Array
) -> Array:
    """Return where a point in face axes lies in the layers' plane (2,), cm."""
    pixel = project(camera_matrix, placement.to_camera(point))
    return (pixel - easel.origin_px) / easel.px_per_cm


def _back_hair_cm(
    traits: Traits, easel: _Easel, placement: HeadPlacement, camera_matrix: Array
) -> Array:
    """Return the outline (n, 2) of the hair seen behind head and neck."""
    hair, skull = traits.hair, traits.skull
    middle = _anchor_cm(easel, placement, camera_matrix, np.array([0.0, 0.0, -3.0]))
    width = skull.half_width_cm + 0.4 + 0.5 * hair.volume_cm
    length = {HairCut.LONG: hair.length_cm, HairCut.BOB: 6.9, HairCut.CURLY: 4.5}[hair.cut]
    round_cm = np.stack([np.cos(_HALF_ROUND), np.sin(_HALF_ROUND)], 1) * [width, 10.0]
    down = np.linspace(0.15, 1.0, 9)
    flare = width + 1.2 * np.sin(down * 2.4) + 0.35 * np.sin(down * 14 + traits.seed) * hair.curl
    tips = np.where(down > 0.85, 0.86, 1.0)
    right = np.stack([flare * tips, down * length], 1)
    left = np.stack([-flare * tips, down * length], 1)[::-1]
    return np.concatenate([round_cm, right, left]) + middle


def _lock_cm(
    traits: Traits, easel: _Easel, placement: HeadPlacement, camera_matrix: Array, side: int
) -> Array:
    """Return the outline (n, 2) of the hair that falls over one shoulder."""
    hair, width = traits.hair, traits.skull.half_width_cm
    start = _anchor_cm(easel, placement, camera_matrix, np.array([side * width, 2.0, -0.5]))
    down = np.linspace(0.0, 1.0, 10)
    y = down * hair.length_cm
    wave = 0.5 * hair.curl * np.sin(down * 15 + traits.seed)
    outer = 0.9 + 0.9 * np.sin(down * 2.4) + wave
    inner = -1.6 - 1.0 * np.sin(down * 3.0) + wave + 2.2 * down**4
    edge = np.concatenate([np.stack([outer, y], 1), np.stack([inner, y], 1)[::-1]])
    return edge * [side, 1] + start


def _paint_hair(easel: _Easel, traits: Traits, outline_cm: Array, brightness: float) -> None:
    """Fill an outline with strands; darker towards the neck."""
    layer = _mask(easel, outline_cm, soft_cm=0.12)
    if layer is None:
        return
    rows, columns, mask = layer
    height, width = mask.shape
    rng = np.random.default_rng([LOCKS_STREAM, traits.seed])
    count = max(int(np.ptp(outline_cm[:, 0]) * 7), 4)
    grid = rng.standard_normal((5, count)).astype(F32)
    strands = cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC)
    x = np.linspace(-1, 1, width, dtype=F32)
    round_off = 0.7 + 0.3 * np.abs(x)
    light = easel.lighting.lamp * 0.6 + easel.lighting.ambient
    shade = np.clip(brightness * light * round_off * (1 + 0.22 * strands), 0, None)
    light_rgb = easel.lighting.rgb.astype(F32)
    planes = [
        shade * hair * lit for hair, lit in zip(traits.hair.rgb.astype(F32), light_rgb, strict=True)
    ]
    blend_into(easel.canvas[rows, columns], cv2.merge(planes), mask)


def _paint_neck(
    easel: _Easel, traits: Traits, placement: HeadPlacement, camera_matrix: Array
) -> None:
    half = traits.outfit.neck_half_width_cm
    top = _anchor_cm(easel, placement, camera_matrix, np.array([0.0, 4.5, -2.5]))
    down = np.linspace(0, 1, 12)
    y = top[1] + (SHOULDER_Y_CM + 9 - top[1]) * down
    middle = top[0] * (1 - smoothstep(0, 0.5, down))
    # The neck widens into the shoulders.
    width = half * (1 - 0.06 * np.sin(np.pi * np.clip(down * 2, 0, 1)))
    width = width + 9.0 * smoothstep(0.38, 0.85, down)
    edge = np.stack([middle + width, y], 1), np.stack([middle - width, y], 1)[::-1]
    layer = _mask(easel, np.concatenate(edge), soft_cm=0.05)
    if layer is None:
        return
    rows, columns, mask = layer
    y_cm, x_cm = _layer_axes_cm(easel, rows, columns)
    across = np.clip((x_cm - top[0] * 0.5) / (half * 1.15), -0.97, 0.97)
    lit = _cylinder_light(easel.lighting, across).astype(F32)
    under_jaw = (0.30 + 0.60 * smoothstep(11.5, SHOULDER_Y_CM, y_cm)).astype(F32)
    skin = (traits.skin.rgb * easel.lighting.rgb).astype(F32)
    blend_into(easel.canvas[rows, columns], tinted(under_jaw * lit, skin), mask)


def _paint_clothes(easel: _Easel, traits: Traits) -> None:
    outfit = traits.outfit
    half, neck, wide = outfit.neck_half_width_cm, outfit.neckline_cm, outfit.shoulder_cm
    x = np.linspace(-1, 1, 21)
    collar_y = NECK_BASE_Y_CM + 0.8 + neck * (1 - np.abs(x) ** 1.5)
    collar = np.stack([x * (half + 1.0), collar_y], 1)
    fall = np.linspace(0, 1, 8)[1:]
    slope_y = NECK_BASE_Y_CM + 0.8 + 5.5 * fall**1.4 + 1.5 * fall**6
    slope_x = half + 1.0 + (wide - half - 1.0) * fall
    right = np.concatenate([np.stack([slope_x, slope_y], 1), [[wide + 2.5, 40], [wide + 4, 190]]])
    outline = np.concatenate([collar, right, right[::-1] * [-1, 1]])
    layer = _mask(easel, outline, soft_cm=0.05)
    if layer is None:
        return
    rows, columns, mask = layer
    y_cm, x_cm = _layer_axes_cm(easel, rows, columns)
    stripe = smoothstep(0.1, 0.3, np.sin(y_cm * outfit.stripes)) * (outfit.stripes > 0)
    colour = outfit.rgb + (outfit.stripe_rgb - outfit.rgb) * stripe[..., None]
    lit = _cylinder_light(easel.lighting, np.clip(x_cm / (wide + 4), -0.97, 0.97))
    folds = 1 + 0.06 * np.sin(x_cm * 0.9 + 0.3 * y_cm + traits.seed)
    shade, light_rgb = 0.85 * lit * folds, easel.lighting.rgb
    planes = [(colour[..., i] * shade * light_rgb[i]).astype(F32) for i in range(3)]
    blend_into(easel.canvas[rows, columns], cv2.merge(planes), mask)


def _cylinder_light(lighting: Lighting, across: Array) -> Array:
    """Return light on an upright cylinder; `across` is -1 at its left edge, 1 at its right."""
    towards = lighting.towards
    facing = across * towards[0] - np.sqrt(1 - across * across) * towards[2]
    return np.maximum(facing * 0.8 + 0.2, 0) * lighting.lamp + lighting.ambient * 0.75


def _layer_axes_cm(easel: _Easel, rows: slice, columns: slice) -> tuple[Array, Array]:
    """Return y (h, 1) and x (1, w) in layer cm of the pixels of a rectangle."""
    y = (np.arange(rows.start, rows.stop) - easel.origin_px[1]) / easel.px_per_cm
    x = (np.arange(columns.start, columns.stop) - easel.origin_px[0]) / easel.px_per_cm
    return y.astype(F32)[:, None], x.astype(F32)[None, :]


def _mask(easel: _Easel, outline_cm: Array, soft_cm: float) -> tuple[slice, slice, Array] | None:
    """Return rows, columns and coverage (h, w) float32 of a polygon, or None off the canvas."""
    height, width = easel.canvas.shape[:2]
    outline = easel.pixels(outline_cm)
    soft_px = max(soft_cm * easel.px_per_cm, 0.5)
    margin = int(np.ceil(3 * soft_px)) + 1
    low = np.maximum(np.floor(outline.min(0)).astype(int) - margin, 0)
    high = np.minimum(np.ceil(outline.max(0)).astype(int) + margin + 1, [width, height])
    if (high - low < 2).any():
        return None
    mask = np.zeros((high[1] - low[1], high[0] - low[0]), np.uint8)
    fixed = np.round((outline - low) * 2**SUBPIXEL_BITS).astype(np.int32)
    cv2.fillPoly(mask, [fixed], 255, cv2.LINE_AA, SUBPIXEL_BITS)
    if soft_px > 0.5:
        mask = cv2.GaussianBlur(mask, (0, 0), soft_px)
    rows, columns = slice(low[1], high[1]), slice(low[0], high[0])
    return rows, columns, mask.astype(F32) * F32(1 / 255)
