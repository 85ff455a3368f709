"""An identity: the traits of an invented person and the charts that rendering looks up."""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from common.arrays import Array
from common.synthetic.chart import chart_directions
from common.synthetic.fields import smoothstep, value_noise
from common.synthetic.people.albedo import paint_head
from common.synthetic.people.hair import bumpiness_cm
from common.synthetic.people.head_shape import eyeball_depth_cm, head_radius
from common.synthetic.people.identity import Traits
from common.synthetic.people.sampling import sample_traits
from common.synthetic.people.skin import Surface
from common.synthetic.photo import to_levels

RADIUS_CHART_SIZE = 384
PAINT_CHART_SIZE = 768
# Keeps the painter's random stream apart from the one the traits are drawn from.
PAINT_STREAM = 104729
CACHED_IDENTITIES = 16


@dataclass(frozen=True, eq=False)
class Identity:
    """One invented person, ready to render.

    Attributes:
        traits: measures and colours.
        eye_depth_cm: f of the eyeballs' centres in face axes.
        bounding_radius_cm: the whole head, hair included, lies within it.
        radius_chart: (384, 384) float32 distance of the surface from the head's middle, cm.
        colour_chart: (N, N, 3) uint8 sRGB-like colour; `photo.to_linear` gives linear light.
        normal_chart: (384, 384, 4) float32 outward normal in face axes, then the gloss.
    """

    traits: Traits
    eye_depth_cm: float
    bounding_radius_cm: float
    radius_chart: Array
    colour_chart: Array
    normal_chart: Array

    def eye_centre_cm(self, side: int) -> Array:
        """Return an eyeball's centre (3,) in face axes; `side` -1 image left, 1 image right."""
        return np.array([side * self.traits.eyes.spacing_cm / 2, 0.0, self.eye_depth_cm])


@lru_cache(maxsize=CACHED_IDENTITIES)
def make_identity(seed: int, paint_chart_size: int = PAINT_CHART_SIZE) -> Identity:
    """Return the invented person that belongs to `seed`, a non-negative integer.

    Takes about 0.3 s; the last few identities are kept, 5 MB each. A smaller chart of colours
    is quicker, and enough for faces that are small in the picture.
    """
    return build_identity(sample_traits(seed), paint_chart_size)


def build_identity(traits: Traits, paint_chart_size: int = PAINT_CHART_SIZE) -> Identity:
    """Shape and paint the head of a person with the given traits."""
    rng = np.random.default_rng([PAINT_STREAM, traits.seed])
    eye_depth_cm = eyeball_depth_cm(traits)
    directions = chart_directions(RADIUS_CHART_SIZE)
    radius, hair_height = head_radius(traits, directions, eye_depth_cm)
    noise = value_noise(rng, RADIUS_CHART_SIZE, (44, 44))
    radius = radius + noise * bumpiness_cm(traits.hair, *(radius * d for d in directions))
    surface = _surface(radius, hair_height, paint_chart_size)
    paint = paint_head(traits, surface, rng)
    points = np.stack([radius * d for d in directions], -1)
    gloss = cv2.resize(paint.gloss, (RADIUS_CHART_SIZE, RADIUS_CHART_SIZE))
    return Identity(
        traits=traits,
        eye_depth_cm=eye_depth_cm,
        bounding_radius_cm=float(radius.max()) + 0.1,
        radius_chart=radius.astype(np.float32),
        colour_chart=to_levels(paint.colour),
        normal_chart=np.concatenate([_normals(points), gloss[..., None]], -1).astype(np.float32),
    )


def _surface(radius: Array, hair_height: Array, size: int) -> Surface:
    """Return the surface at the resolution of paint."""
    directions = chart_directions(size)
    shape = (size, size)
    fine = cv2.resize(radius, shape, interpolation=cv2.INTER_CUBIC)
    hair = cv2.resize(hair_height, shape, interpolation=cv2.INTER_LINEAR)
    x, y, f = (fine * d for d in directions)
    return Surface(x, y, f, fine, hair, directions, smoothstep(0.0, 0.3, directions[2]))


def _normals(points: Array) -> Array:
    """Return outward unit normals (N, N, 3) of a surface's chart (N, N, 3), in face axes."""
    normals = np.cross(np.gradient(points, axis=1), np.gradient(points, axis=0))
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True) + 1e-9
    return normals * np.sign((normals * points).sum(-1, keepdims=True))
