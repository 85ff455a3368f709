"""Painting skin: tone, flush, freckles, wrinkles, nostrils and the shade of hollows."""

from dataclasses import dataclass

import cv2
import numpy as np

from common.arrays import Array
from common.synthetic.fields import bell, blend, bump, smoothstep, value_noise
from common.synthetic.people.identity import Traits

# What blood under the skin does to its colour.
FLUSH_TINT = np.array([1.07, 0.86, 0.84])
FRECKLE_TINT = np.array([0.72, 0.55, 0.45])
SHADE_TINT = np.array([0.85, 1.05, 1.10])
NOSTRIL_RGB = np.array([0.10, 0.035, 0.03])


@dataclass(frozen=True)
class Surface:
    """The head's surface in the chart.

    Attributes:
        x: (N, N) face coordinate to the image's right, cm.
        y: (N, N) down, cm.
        f: (N, N) out of the face, cm.
        radius: (N, N) distance from the head's middle, cm.
        hair_height: (N, N) how much of the radius is hair, cm.
        directions: unit directions (x, y, f).
        front: (N, N) in [0, 1], 1 on the face, 0 behind the ears.
    """

    x: Array
    y: Array
    f: Array
    radius: Array
    hair_height: Array
    directions: tuple[Array, Array, Array]
    front: Array

    @property
    def side(self) -> Array:
        """Distance from the plane of symmetry, cm."""
        return np.abs(self.x)


def paint_skin(traits: Traits, surface: Surface, rng: np.random.Generator) -> Array:
    """Return the colour (N, N, 3) of bare skin, lips, brows and beard not yet painted."""
    size = len(surface.x)
    mottle = 0.030 * value_noise(rng, size, (12, 12)) + 0.020 * value_noise(rng, size, (90, 90))
    pores = 0.030 * value_noise(rng, size, (size // 2, size // 2))
    colour = traits.skin.rgb * (1 + mottle + pores)[..., None]
    colour = colour * (1 + _flush(traits, surface)[..., None] * (FLUSH_TINT - 1))
    colour = colour * (1 + _freckles(traits, surface, rng)[..., None] * (FRECKLE_TINT - 1))
    # Shaded skin stays warm: less light falls off in red.
    colour = colour * (1 - _shade(traits, surface))[..., None] ** SHADE_TINT
    nostril_rgb = np.minimum(NOSTRIL_RGB, traits.skin.rgb * 0.3)
    return blend(colour, nostril_rgb, 0.8 * nostrils(traits, surface))


def nostrils(traits: Traits, surface: Surface) -> Array:
    """Return where the nostrils are, in [0, 1]."""
    nose = traits.nose
    hill = bump(
        surface.side,
        surface.y,
        (0.60 * nose.half_width_cm + 0.05, nose.tip_y_cm + 0.95),
        (0.30, 0.15),
    )
    return surface.front * smoothstep(0.25, 0.85, hill)


def _flush(traits: Traits, surface: Surface) -> Array:
    side, y = surface.side, surface.y
    cheeks = 0.8 * bump(side, y, (3.9, 3.0), (1.5, 1.3))
    nose = 0.8 * bump(side, y, (0.0, traits.nose.tip_y_cm), (0.9, 0.7))
    lids = 0.5 * bump(side, y, (traits.eyes.spacing_cm / 2, 0.0), (1.6, 0.9))
    return (cheeks + nose + lids) * surface.front * traits.skin.flush


def _freckles(traits: Traits, surface: Surface, rng: np.random.Generator) -> Array:
    size = len(surface.x)
    dots = smoothstep(1.1, 1.9, value_noise(rng, size, (size // 5, size // 5)))
    place = bump(surface.side, surface.y, (2.2, 2.0), (2.6, 1.6)) * surface.front
    return 0.7 * traits.skin.freckles * dots * place


def _shade(traits: Traits, surface: Surface) -> Array:
    """Return how much light hollows lose, in [0, 0.8]."""
    concavity = cv2.GaussianBlur(surface.radius, (0, 0), len(surface.x) / 85) - surface.radius
    # On the face only: the steps at ears and hair would become dark seams.
    inner = surface.front * (1 - smoothstep(5.2, 6.4, surface.side))
    shade = 0.75 * np.clip(concavity, -0.10, 0.30) * inner
    return np.clip(
        shade + surface.front * (_eye_shade(traits, surface) + _wrinkles(traits, surface)), 0, 0.8
    )


def _eye_shade(traits: Traits, surface: Surface) -> Array:
    half, side, y = traits.eyes.spacing_cm / 2, surface.side, surface.y
    inner = 0.28 * bump(side, y, (half * 0.62, 0.0), (0.45, 0.7))
    upper = 0.18 * bump(side, y, (half, -0.75), (1.4, 0.30))
    bags = (0.10 + 0.16 * traits.skin.wrinkles) * bump(side, y, (half, 1.0), (1.2, 0.25))
    under_nose = 0.22 * bump(side, y, (0.0, traits.nose.tip_y_cm + 1.15), (1.1, 0.35))
    return inner + upper + bags + under_nose


def _wrinkles(traits: Traits, surface: Surface) -> Array:
    """Return forehead lines, crow's feet and the fold beside the mouth."""
    age, smile = traits.skin.wrinkles, max(traits.mouth.smile, 0.0)
    side, y = surface.side, surface.y
    bend = 0.25 * np.cos(surface.x * 0.7 + traits.seed)
    waves = smoothstep(0.55, 1.0, np.sin((y + bend) * 7.5))
    forehead = 0.30 * age * waves * bump(side, y, (0.0, -4.1), (2.8, 0.9))
    outer = traits.eyes.spacing_cm / 2 + traits.eyes.half_width_cm + 0.6
    rays = smoothstep(0.3, 1.0, np.sin(6.5 * (y - 0.2) / np.maximum(side - outer + 1.2, 0.3)))
    feet = 0.35 * max(age, 0.5 * smile) * rays * bump(side, y, (outer, 0.2), (0.45, 0.7))
    line = 1.65 + (y - traits.nose.tip_y_cm) * 0.55
    fold = (0.10 + 0.18 * age + 0.12 * smile) * bell(side, line, 0.20)
    fold = fold * smoothstep(traits.nose.tip_y_cm, traits.nose.tip_y_cm + 0.8, y)
    return (
        forehead
        + feet
        + fold * (1 - smoothstep(traits.mouth.y_cm - 0.4, traits.mouth.y_cm + 0.9, y))
    )
