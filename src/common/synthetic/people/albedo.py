"""Painting what lies on the skin: lips, brows, beard, ears' hollow and hair."""

from dataclasses import dataclass

import numpy as np

from common.arrays import Array
from common.synthetic.fields import bell, blend, bump, smoothstep, value_noise
from common.synthetic.people.hair import hair_depth_cm, strand_pattern
from common.synthetic.people.head_shape import (
    EAR_F_CM,
    EAR_Y_CM,
    mouth_gap_cm,
    mouth_line_cm,
    smiling_half_width_cm,
)
from common.synthetic.people.identity import HairCut, Traits
from common.synthetic.people.skin import Surface, nostrils, paint_skin

LIP_TINT = np.array([0.92, 0.50, 0.50])
INSIDE_RGB, TEETH_RGB = np.array([0.035, 0.010, 0.009]), np.array([0.56, 0.51, 0.44])
TOOTH_CM, TEETH_CM = 0.75, 0.75
# Softness of the hairline and raggedness of its strands, cm.
HAIRLINE_SOFTNESS_CM = 0.45
# Buzzed and curly hair let skin show.
COVER_STRENGTH = {HairCut.BUZZ: 0.72}
RAGGEDNESS_CM = {HairCut.CURLY: 0.15, HairCut.LONG: 0.2, HairCut.BOB: 0.2}
SKIN_GLOSS, LIP_GLOSS, HAIR_GLOSS = 0.20, 0.34, 0.10


@dataclass(frozen=True)
class Paint:
    """Result of painting: colour (N, N, 3) and mirror-like reflection (N, N), both in [0, 1]."""

    colour: Array
    gloss: Array


def paint_head(traits: Traits, surface: Surface, rng: np.random.Generator) -> Paint:
    """Return colour and gloss of the whole head in the chart."""
    size = len(surface.x)
    grain = value_noise(rng, size, (size // 3, size // 3))
    colour = paint_skin(traits, surface, rng)
    colour = colour * (1 - 0.45 * _ear_hollow(surface))[..., None]
    lips = _lips(traits, surface)
    colour = blend(colour, _lip_colour(traits) * (1 + 0.04 * grain)[..., None], lips)
    colour = colour * (1 - 0.72 * _mouth_line(traits, surface))[..., None]
    colour = _with_open_mouth(traits, surface, colour)
    hair_rgb = np.minimum(traits.hair.rgb, traits.skin.rgb * 0.6)
    brows = np.clip(_brows(traits, surface) * (1.0 + 0.12 * grain), 0, 1)
    colour = blend(colour, hair_rgb, brows)
    beard = np.clip(_beard(traits, surface) * (0.85 + 0.3 * grain), 0, 0.93) * (1 - lips)
    colour = blend(colour, hair_rgb, beard)
    cover, hair_colour = _hair(traits, surface, rng, grain)
    colour = blend(colour, hair_colour, cover)
    gloss = traits.skin.shine * SKIN_GLOSS * (1 - nostrils(traits, surface)) * (1 - beard)
    gloss = gloss + (LIP_GLOSS - gloss) * lips
    return Paint(np.clip(colour, 0, 1), gloss + (HAIR_GLOSS - gloss) * cover)


def _ear_hollow(surface: Surface) -> Array:
    rim = bump(surface.y, surface.f, (EAR_Y_CM, EAR_F_CM + 0.1), (1.2, 0.45))
    return rim * smoothstep(5.5, 6.5, surface.side)


def _lips(traits: Traits, surface: Surface) -> Array:
    mouth, side = traits.mouth, surface.side
    line, half = mouth_line_cm(mouth, surface.x), smiling_half_width_cm(mouth)
    s = np.clip(side / half, 0, 1)
    bow = 0.82 + 0.28 * bell(side, 0.55, 0.4)
    upper = mouth.upper_lip_cm * (1 - s**1.8) * bow
    lower = mouth_gap_cm(mouth, surface.x) + mouth.lower_lip_cm * (1 - s**2.2)
    inside = smoothstep(-0.12, 0.12, surface.y - (line - upper))
    inside = inside * smoothstep(-0.12, 0.12, line + lower - surface.y)
    return surface.front * mouth.lip_tint * inside * (side < half + 0.05)


def _lip_colour(traits: Traits) -> Array:
    # Dark skin has lips closer to its own colour.
    lightness = min(float(traits.skin.rgb.mean()) / 0.25, 1.0)
    return traits.skin.rgb * (LIP_TINT + (np.array([1.0, 0.66, 0.62]) - LIP_TINT) * (1 - lightness))


def _mouth_line(traits: Traits, surface: Surface) -> Array:
    half = smiling_half_width_cm(traits.mouth)
    line = bell(surface.y, mouth_line_cm(traits.mouth, surface.x), 0.085)
    return surface.front * line * (1 - smoothstep(half * 0.90, half * 1.04, surface.side))


def _with_open_mouth(traits: Traits, surface: Surface, colour: Array) -> Array:
    """Paint what is seen between the lips: the dark inside, and the upper teeth above it."""
    mouth, side = traits.mouth, surface.side
    below, gap = surface.y - mouth_line_cm(mouth, surface.x), mouth_gap_cm(mouth, surface.x)
    inside = surface.front * smoothstep(0.0, 0.1, below) * smoothstep(0.0, 0.1, gap - below)
    colour = blend(colour, INSIDE_RGB, inside)
    if not mouth.teeth:
        return colour
    between = 0.35 * bell(np.abs((side / TOOTH_CM) % 1 - 0.5), 0.5, 0.08)
    shaded = 1 - between - 0.5 * smoothstep(0.5, 1.0, side / smiling_half_width_cm(mouth))
    seen = inside * (1 - smoothstep(TEETH_CM - 0.1, TEETH_CM + 0.1, below))
    return blend(colour, TEETH_RGB * shaded[..., None], seen)


def _brows(traits: Traits, surface: Surface) -> Array:
    brows = traits.brows
    s = (surface.side - (traits.eyes.spacing_cm / 2 - 0.25)) / brows.length_cm
    line = brows.y_cm - brows.arch_cm * (1 - (s - 0.25) ** 2 * 1.4) - brows.slant * s + 0.25
    thickness = brows.thickness_cm * (1 - 0.62 * smoothstep(-0.2, 1.0, s))
    shape = np.exp(-0.5 * (np.abs(surface.y - line) / (thickness * 0.75)) ** 3)
    ends = smoothstep(-1.08, -0.80, s) * (1 - smoothstep(0.75, 1.08, s))
    return surface.front * shape * ends * brows.density


def _beard(traits: Traits, surface: Surface) -> Array:
    beard, nose, mouth = traits.beard, traits.nose, traits.mouth
    side, y = surface.side, surface.y
    cheek_line = mouth.y_cm - 0.3 - 0.16 * np.maximum(side - 2.5, 0) ** 1.6
    jaw = smoothstep(-0.3, 1.1, y - cheek_line) * smoothstep(0.2, 2.0, y - 0.8)
    jaw = jaw * (1 - 0.75 * bump(side, y, (0.0, mouth.y_cm), (1.9, 0.8)))
    lip = bump(side, y, (0.0, nose.tip_y_cm + 1.85), (1.9, 0.42))
    return np.maximum(beard.jaw * jaw, beard.moustache * lip) * smoothstep(-0.1, 0.2, surface.f / 8)


def _hair(
    traits: Traits, surface: Surface, rng: np.random.Generator, grain: Array
) -> tuple[Array, Array]:
    """Return how much hair covers the surface (N, N) and its colour (N, N, 3)."""
    hair, size = traits.hair, len(surface.x)
    strands = strand_pattern(hair, rng, surface.directions)
    ragged = RAGGEDNESS_CM.get(hair.cut, 0.30) * strands + 0.20 * value_noise(rng, size, (60, 60))
    depth_cm = hair_depth_cm(hair, surface.x, surface.y, surface.f) + ragged
    cover = smoothstep(-HAIRLINE_SOFTNESS_CM, HAIRLINE_SOFTNESS_CM, depth_cm)
    cover = np.maximum(cover, smoothstep(0.15, 0.45, surface.hair_height))
    cover = cover * COVER_STRENGTH.get(hair.cut, 1.0)
    roots = 1 - 0.25 * bell(depth_cm, 0.3, 0.8)
    light = np.clip(roots * (1 + 0.26 * strands + 0.08 * grain), 0.25, 2.2)
    return cover, hair.rgb * light[..., None]
