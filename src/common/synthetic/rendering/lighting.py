"""Light on skin, hair and eyes: one directed lamp and light from all around."""

from dataclasses import dataclass

import cv2
import numpy as np

from common.arrays import Array
from common.synthetic.chart import look_up
from common.synthetic.fields import tinted
from common.synthetic.people.head import Identity
from common.synthetic.photo import to_linear
from common.synthetic.rendering.placement import HeadPlacement
from common.synthetic.rendering.raytrace import Hits

F32 = np.float32

# Light creeps around edges under skin, more so in red.
WRAP = F32(0.25)
# Sine of the sun's height at most; lamps from below look uncanny.
AZIMUTH_RAD, ELEVATION_RAD = (-1.1, 1.1), (-0.1, 1.0)


@dataclass(frozen=True)
class Lighting:
    """A lamp and its surroundings.

    Attributes:
        towards: (3,) unit vector to the lamp in camera axes.
        lamp: its strength.
        ambient: strength of light from all around, a bit more from above.
        highlight: strength of mirror-like reflection.
        rgb: (3,) colour of all light.
    """

    towards: Array
    lamp: float
    ambient: float
    highlight: float
    rgb: Array


@dataclass(frozen=True)
class FaceLight:
    """The same light in a head's face axes: to the lamp, halfway to the camera, up."""

    towards: Array
    halfway: Array
    up: Array

    @classmethod
    def on(cls, placement: HeadPlacement, lighting: Lighting) -> "FaceLight":
        """Turn the light into the face axes of a placed head."""
        towards = placement.direction_to_face(lighting.towards)
        camera = placement.camera_in_face
        halfway = towards + camera / np.linalg.norm(camera)
        up = placement.direction_to_face(np.array([0.0, -1.0, 0.0]))
        return cls(towards, halfway / np.linalg.norm(halfway), up)


def sample_lighting(rng: np.random.Generator) -> Lighting:
    """Draw a lamp anywhere in front of the face."""
    azimuth, elevation = rng.uniform(*AZIMUTH_RAD), rng.uniform(*ELEVATION_RAD)
    across = np.cos(elevation)
    towards = np.array([np.sin(azimuth) * across, -np.sin(elevation), -np.cos(azimuth) * across])
    lamp = rng.uniform(0.45, 1.05)
    return Lighting(
        towards=towards,
        lamp=lamp,
        ambient=rng.uniform(0.28, 0.6),
        highlight=rng.uniform(0.1, 0.8) * lamp,
        rgb=1 + rng.uniform(-0.07, 0.07, 3) * np.array([1, 0.4, -1]),
    )


def shade_skin(identity: Identity, hits: Hits, light: FaceLight, lighting: Lighting) -> Array:
    """Return the linear colour (h, w, 3) float32 of the head's surface as lit."""
    colour = to_linear(look_up(identity.colour_chart, hits.point, hits.norm))
    normal = look_up(identity.normal_chart, hits.point, hits.norm)
    facing = _dot(normal, light.towards)
    lit = np.maximum((facing + WRAP) / (1 + WRAP), 0) * F32(lighting.lamp)
    around = (F32(0.75) + F32(0.25) * _dot(normal, light.up)) * F32(lighting.ambient)
    mirror = np.maximum(_dot(normal, light.halfway), 0)
    for _ in range(4):
        mirror = mirror * mirror
    shine = mirror * normal[..., 3] * F32(lighting.highlight)
    colour *= tinted(lit + around, lighting.rgb)
    colour += cv2.merge((shine, shine, shine))
    return colour


def _dot(normal: Array, direction: Array) -> Array:
    x, y, f = direction.astype(F32)
    return normal[..., 0] * x + normal[..., 1] * y + normal[..., 2] * f
