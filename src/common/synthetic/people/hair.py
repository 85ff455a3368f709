"""Where hair grows, how far it stands off the skull, and how its strands run."""

from dataclasses import dataclass

import cv2
import numpy as np

from common.arrays import Array
from common.synthetic.fields import smooth_max, smoothstep
from common.synthetic.people.identity import Hair, HairCut

# Angle from the face's axis around the head (degrees) -> y of the hair's lower edge (cm).
# 30 is above the outer brow, 60 the temple, 80 the sideburn, 95 above the ear, 180 the nape.
_CROPPED_SIDES = ((60, -4.2), (72, -1.4), (80, 1.2), (87, 0.9), (92, -1.8), (112, -1.4), (122, 3.0))
_NAPE = ((140, 6.0), (180, 7.0))
_OUTLINES: dict[HairCut, tuple[tuple[float, float], ...]] = {
    HairCut.BUZZ: ((0, -6.5), (25, -6.5), (45, -5.4), *_CROPPED_SIDES, *_NAPE),
    HairCut.SHORT: ((0, -6.0), (25, -6.0), (45, -5.2), *_CROPPED_SIDES, *_NAPE),
    HairCut.SIDE_PART: ((0, -6.1), (25, -5.6), (45, -4.8), *_CROPPED_SIDES, *_NAPE),
    HairCut.FRINGE: (
        (0, -3.9),
        (30, -3.7),
        (50, -2.6),
        (66, 0.0),
        (84, 2.4),
        (95, 0.2),
        (112, 1.0),
        (122, 5.0),
        (180, 8.0),
    ),
    HairCut.RECEDING: ((0, -7.3), (12, -7.6), (30, -8.9), (46, -7.0), *_CROPPED_SIDES, *_NAPE),
    HairCut.BALD: ((0, -30.0), (62, -30.0), (70, -4.0), *_CROPPED_SIDES[2:], *_NAPE),
    HairCut.CURLY: (
        (0, -6.0),
        (25, -5.8),
        (45, -4.6),
        (60, -2.8),
        (74, 0.0),
        (84, 2.2),
        (95, 0.6),
        (112, 1.2),
        (125, 3.0),
        (180, 4.0),
    ),
    HairCut.PULLED_BACK: ((0, -6.8), (25, -6.5), (45, -5.0), *_CROPPED_SIDES, *_NAPE),
    HairCut.BOB: (
        (0, -7.0),
        (12, -6.4),
        (28, -4.6),
        (42, -2.4),
        (52, 2.0),
        (60, 8.0),
        (66, 14.0),
        (180, 14.0),
    ),
    HairCut.LONG: (
        (0, -7.2),
        (10, -6.6),
        (26, -4.9),
        (44, -2.2),
        (56, 2.0),
        (66, 8.0),
        (180, 12.0),
    ),
}
# A bald head keeps hair below this height only.
_BALD_CROWN_CM = -3.0
# Hanging hair leaves the head here; `body.py` draws what is below.
HANGING_CUTS = (HairCut.BOB, HairCut.LONG)
HANGING_END_CM = 6.5
_CURL_HEIGHT_CM, _LOCK_HEIGHT_CM = 0.22, 0.04
# Where strands start: unit directions (x towards the parting, y, f).
_WHORLS = {
    HairCut.SIDE_PART: (0.45, -0.80, 0.40),
    HairCut.PULLED_BACK: (0.0, -0.10, -1.0),
    HairCut.BOB: (0.12, -0.95, 0.30),
    HairCut.LONG: (0.05, -0.95, 0.30),
    HairCut.FRINGE: (0.0, -0.95, -0.30),
}
_DEFAULT_WHORL = (0.1, -0.85, -0.50)


@dataclass(frozen=True)
class _Volume:
    """How far hair stands off: on the top and on the sides, in units of `Hair.volume_cm`."""

    top: float
    side: float
    floor_cm: float


_VOLUMES = {
    HairCut.BUZZ: _Volume(0.0, 0.0, 0.12),
    HairCut.SHORT: _Volume(1.2, 0.25, 0.2),
    HairCut.SIDE_PART: _Volume(1.5, 0.3, 0.3),
    HairCut.FRINGE: _Volume(1.0, 0.6, 0.35),
    HairCut.RECEDING: _Volume(0.4, 0.3, 0.2),
    HairCut.BALD: _Volume(0.3, 0.3, 0.15),
    HairCut.CURLY: _Volume(2.0, 1.3, 0.9),
    HairCut.PULLED_BACK: _Volume(0.3, 0.1, 0.25),
    HairCut.BOB: _Volume(1.0, 0.9, 0.5),
    HairCut.LONG: _Volume(1.0, 0.8, 0.4),
}


def hair_depth_cm(hair: Hair, x: Array, y: Array, f: Array) -> Array:
    """Return how far inside the hair's outline a point is, measured along y; negative outside."""
    depth_cm = _outline_depth_cm(hair, x, y, f)
    if hair.cut in HANGING_CUTS:
        return np.minimum(depth_cm, HANGING_END_CM + 0.8 - y)
    if hair.cut is HairCut.BALD:
        return np.minimum(depth_cm, y - _BALD_CROWN_CM)
    return depth_cm


def _outline_depth_cm(hair: Hair, x: Array, y: Array, f: Array) -> Array:
    azimuth_deg = np.degrees(np.arctan2(np.abs(x), f))
    degrees, heights_cm = np.array(_OUTLINES[hair.cut]).T
    edge_cm = np.interp(azimuth_deg, degrees, heights_cm)
    front = 1 - smoothstep(35.0, 65.0, azimuth_deg)
    edge_cm = edge_cm + front * (hair.hairline_cm + _parting_cm(hair, x))
    depth_cm: Array = edge_cm - y
    return depth_cm


def _parting_cm(hair: Hair, x: Array) -> Array:
    """Lower the hairline away from the parting, as hair combed to one side does."""
    if hair.cut is not HairCut.SIDE_PART:
        return np.zeros_like(x)
    away_cm = -hair.part_side * x
    return 1.1 * smoothstep(-3.0, 5.0, away_cm) - 0.5


def hair_lift_cm(hair: Hair, x: Array, y: Array, f: Array) -> Array:
    """Return how far hair raises the surface above the skull, in cm."""
    depth_cm = hair_depth_cm(hair, x, y, f)
    volume = _VOLUMES[hair.cut]
    height = smoothstep(0.0, 9.0, -y)
    raised = hair.volume_cm * (volume.side + (volume.top - volume.side) * height)
    if hair.cut is HairCut.SIDE_PART:
        raised = raised * (1 - 0.45 * np.exp(-(((x * hair.part_side - 3.2) / 1.0) ** 2)))
    edge = 1.2 if hair.cut is HairCut.FRINGE else 2.6
    floor = volume.floor_cm * smoothstep(-0.3, 0.3 + volume.floor_cm, depth_cm)
    return floor + raised * smoothstep(-0.2, edge, depth_cm)


def hanging_radius(
    hair: Hair, direction: tuple[Array, Array, Array], radius: Array, half_width_cm: float
) -> Array:
    """Return the head's radius where hair hangs straight down beside the face.

    It hangs from the skull's half width; `radius` is the head's in the unit `direction` (x, y, f).
    """
    if hair.cut not in HANGING_CUTS:
        return radius
    dx, dy, df = direction
    horizontal = np.maximum(np.hypot(dx, df * 0.8), 1e-3)
    curtain = (half_width_cm + 0.4 + 0.5 * hair.volume_cm) / horizontal
    bottom = np.minimum(HANGING_END_CM / np.maximum(dy, 1e-3), 50.0)
    curtain = -smooth_max(-curtain, -bottom, 2.0)
    # A gentle rise: rays would not find the face of a cliff.
    depth_cm = _outline_depth_cm(hair, radius * dx, radius * dy, radius * df)
    cover = smoothstep(0.2, 7.0, depth_cm) * smoothstep(-0.35, 0.15, dy)
    return radius + cover * np.maximum(curtain - radius, 0)


def bumpiness_cm(hair: Hair, x: Array, y: Array, f: Array) -> Array:
    """Return how uneven the hair's surface is, in cm."""
    height = _CURL_HEIGHT_CM if hair.cut is HairCut.CURLY else _LOCK_HEIGHT_CM
    return height * smoothstep(0.0, 1.5, hair_depth_cm(hair, x, y, f))


def strand_pattern(
    hair: Hair, rng: np.random.Generator, direction: tuple[Array, Array, Array]
) -> Array:
    """Return the brightness pattern of the strands, float32 about zero, unit scale.

    Strands run away from the whorl, so the pattern is fine around it and slow along it.
    """
    size = len(direction[0])
    coarse = rng.standard_normal((10, 160)).astype(np.float32)
    fine = rng.standard_normal((24, 700)).astype(np.float32)
    if hair.cut is HairCut.CURLY:
        return _curls(rng, size)
    around, along = _strand_coordinates(hair, direction)
    along = along + hair.curl * 0.05 * np.sin(around * 40)
    around = around + hair.curl * 0.05 * np.sin(along * 22)
    return 0.5 * _wrap_look_up(coarse, around, along) + 0.6 * _wrap_look_up(fine, around, along)


def _curls(rng: np.random.Generator, size: int) -> Array:
    """Return the pattern of curly hair: the same in all directions."""
    out = np.zeros((size, size), np.float32)
    for cells, weight in ((45, 0.5), (90, 0.7), (200, 0.5)):
        grid = rng.standard_normal((cells, cells)).astype(np.float32)
        out += weight * cv2.resize(grid, (size, size), interpolation=cv2.INTER_CUBIC)
    return out


def _strand_coordinates(hair: Hair, direction: tuple[Array, Array, Array]) -> tuple[Array, Array]:
    """Return the turn around the whorl (in turns) and the angle from it (in units of pi)."""
    whorl = np.array(_WHORLS.get(hair.cut, _DEFAULT_WHORL))
    whorl = whorl * [hair.part_side, 1, 1] / np.linalg.norm(whorl)
    side = np.cross(whorl, [0.0, 0.3, 1.0])
    side /= np.linalg.norm(side)
    third = np.cross(whorl, side)
    stacked = np.stack(direction, -1)
    a, b, c = stacked @ side, stacked @ third, stacked @ whorl
    return np.arctan2(b, a) / (2 * np.pi) + 0.5, np.arccos(np.clip(c, -1, 1)) / np.pi


def _wrap_look_up(texture: Array, around: Array, along: Array) -> Array:
    rows, columns = texture.shape
    u = (around * columns - 0.5).astype(np.float32)
    v = (along * (rows - 1)).astype(np.float32)
    return cv2.remap(texture, u, v, cv2.INTER_CUBIC, borderMode=cv2.BORDER_WRAP)
