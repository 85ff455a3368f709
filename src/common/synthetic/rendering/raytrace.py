"""Finding the visible point of a star-shaped head behind every pixel."""

from dataclasses import dataclass

import cv2
import numpy as np

from common.arrays import Array
from common.synthetic.chart import look_up
from common.synthetic.people.head import Identity
from common.synthetic.rendering.placement import HeadPlacement

F32 = np.float32

COARSE_STEPS, FINE_STEPS, GRAZING_STEPS = 11, 3, 10
# Rays with a larger gap than this many pixels have not arrived.
LATE_GAP_PX = 0.5
GRAZING_STRIDE_CM = 0.5
# After coarse marching, rays with a smaller gap than this many pixels are near the head.
NEAR_PX = 4.0
LATE_ROW = 256
# Part of the radial gap that the first step may cross without passing the surface.
FIRST_STEP = F32(0.72)
SECANT_RANGE = (F32(0.5), F32(2.2))
FAR_CM = F32(1e4)


@dataclass(frozen=True)
class Window:
    """A rectangle of pixels: column and row of its first pixel, width, height (both even)."""

    x0: int
    y0: int
    width: int
    height: int

    @property
    def slices(self) -> tuple[slice, slice]:
        """Rows and columns of the window."""
        return slice(self.y0, self.y0 + self.height), slice(self.x0, self.x0 + self.width)


@dataclass(frozen=True)
class Rays:
    """Rays through a window's pixels: unit directions in face axes and their common origin."""

    directions: tuple[Array, Array, Array]
    origin: Array


@dataclass(frozen=True)
class Hits:
    """What the rays of a window meet.

    Attributes:
        rays: the rays.
        distance_cm: (h, w) from the camera.
        point: face coordinates x, y, f, each (h, w), cm.
        norm: (h, w) distance of the point from the head's middle.
        gap_cm: (h, w) how far the point still is from the surface; large where the ray misses.
    """

    rays: Rays
    distance_cm: Array
    point: tuple[Array, Array, Array]
    norm: Array
    gap_cm: Array


def cast_rays(
    placement: HeadPlacement, camera_matrix: Array, window: Window, stride: int = 1
) -> Rays:
    """Return rays through the centres of blocks of `stride` x `stride` pixels."""
    fx, fy = F32(camera_matrix[0, 0]), F32(camera_matrix[1, 1])
    cx, cy = F32(camera_matrix[0, 2]), F32(camera_matrix[1, 2])
    inside = F32((stride - 1) / 2)
    xs = (window.x0 + np.arange(0, window.width, stride, dtype=F32) + inside - cx) / fx
    ys = (window.y0 + np.arange(0, window.height, stride, dtype=F32) + inside - cy) / fy
    shorten = (1 / np.sqrt(1 + xs[None, :] ** 2 + ys[:, None] ** 2)).astype(F32)
    axes = placement.axes.astype(F32)
    x, y, f = (
        ((axes[0, i] * xs)[None, :] + (axes[1, i] * ys + axes[2, i])[:, None]) * shorten
        for i in range(3)
    )
    return Rays((x, y, f), placement.camera_in_face.astype(F32))


def trace_head(
    identity: Identity,
    placement: HeadPlacement,
    camera_matrix: Array,
    window: Window,
    margin_cm: float = 0.0,
) -> tuple[Hits, Window] | None:
    """March at half resolution, then finish at full resolution where the head is.

    `margin_cm` around the head is kept, too.

    Returns:
        What the rays meet and the part of `window` they go through; None if none meets the head.
    """
    pixel_cm = float(placement.position_cm[2] / camera_matrix[0, 0])
    coarse = cast_rays(placement, camera_matrix, window, stride=2)
    hits = march(identity, coarse, _enter_sphere(coarse, identity.bounding_radius_cm), COARSE_STEPS)
    box = _box(hits.gap_cm < NEAR_PX * pixel_cm, 2 + int(margin_cm / pixel_cm / 2))
    if box is None:
        return None
    rows, columns = box
    # The nearest of the neighbours, so that no fine ray starts behind the surface.
    start = cv2.erode(hits.distance_cm, np.ones((3, 3), np.uint8))[box]
    height, width = 2 * start.shape[0], 2 * start.shape[1]
    window = Window(window.x0 + 2 * columns.start, window.y0 + 2 * rows.start, width, height)
    start = cv2.resize(start, (width, height), interpolation=cv2.INTER_LINEAR)
    fine = march(identity, cast_rays(placement, camera_matrix, window), start, FINE_STEPS)
    return _finish_grazing(identity, fine, pixel_cm), window


def _box(is_inside: Array, margin: int) -> tuple[slice, slice] | None:
    """Return rows and columns of the box around the true elements, with a margin."""
    slices = []
    for axis in (1, 0):
        found = np.flatnonzero(is_inside.any(axis))
        if len(found) == 0:
            return None
        start, stop = max(int(found[0]) - margin, 0), int(found[-1]) + 1 + margin
        slices.append(slice(start, min(stop, is_inside.shape[1 - axis])))
    return slices[0], slices[1]


def march(
    identity: Identity, rays: Rays, start_cm: Array, steps: int, stride_cm: float = 0.0
) -> Hits:
    """Follow rays towards the surface by a safeguarded secant rule, from distances before it.

    Before the surface, no step is shorter than `stride_cm`: it gets grazing rays past an edge.
    """
    distance, step, last_gap = start_cm, np.zeros_like(start_cm), None
    for _ in range(steps):
        gap = _gap_cm(identity, rays, distance)
        if last_gap is None:
            step = gap * FIRST_STEP
        else:
            slope = step / np.maximum(last_gap - gap, F32(1e-4))
            step = gap * np.clip(slope, *SECANT_RANGE)
        if stride_cm > 0:
            step = np.where(gap > 0, np.maximum(step, F32(stride_cm)), step)
        last_gap = gap
        distance = np.minimum(distance + step, FAR_CM)
    assert last_gap is not None
    point, norm = _points(rays, distance)
    return Hits(rays, distance, point, norm, last_gap)


def _finish_grazing(identity: Identity, hits: Hits, pixel_cm: float) -> Hits:
    """March on with the few rays that are still on their way, past edges of nose and hair."""
    is_late = (hits.gap_cm > LATE_GAP_PX * pixel_cm) & (hits.norm < identity.bounding_radius_cm)
    late_pixels = np.flatnonzero(is_late)
    if len(late_pixels) == 0:
        return hits
    # Filled up to whole rows: OpenCV is slow on single columns and limits a row's length.
    pixels = np.resize(late_pixels, (-(-len(late_pixels) // LATE_ROW), LATE_ROW))
    x, y, f = (d.ravel()[pixels] for d in hits.rays.directions)
    rays = Rays((x, y, f), hits.rays.origin)
    start = hits.distance_cm.ravel()[pixels]
    past = march(identity, rays, start, GRAZING_STEPS, GRAZING_STRIDE_CM).distance_cm
    late = march(identity, rays, past, FINE_STEPS + 1)
    # Rays that miss keep what they had: how near they came softens the head's outline.
    arrived = late.gap_cm < LATE_GAP_PX * pixel_cm
    pairs = zip(
        (hits.distance_cm, *hits.point, hits.norm, hits.gap_cm),
        (late.distance_cm, *late.point, late.norm, late.gap_cm),
        strict=True,
    )
    for whole, part in pairs:
        whole.ravel()[pixels[arrived]] = part[arrived]
    return hits


def _points(rays: Rays, distance: Array) -> tuple[tuple[Array, Array, Array], Array]:
    x, y, f = (o + distance * d for o, d in zip(rays.origin, rays.directions, strict=True))
    return (x, y, f), np.sqrt(x * x + y * y + f * f)


def _gap_cm(identity: Identity, rays: Rays, distance: Array) -> Array:
    """Return how far the points at `distance` still are from the surface, along their radius."""
    point, norm = _points(rays, distance)
    return norm - look_up(identity.radius_chart, point, norm)


def _enter_sphere(rays: Rays, radius_cm: float) -> Array:
    """Return the distance at which rays enter a sphere about the head's middle."""
    origin = rays.origin
    along = sum(d * o for d, o in zip(rays.directions, origin, strict=True))
    inside = along * along - (F32(origin @ origin) - F32(radius_cm**2))
    return -along - np.sqrt(np.maximum(inside, 0))


def skin_points(identity: Identity, xy_cm: Array, iterations: int = 12) -> Array:
    """Return the points (n, 3) of the surface that lie at face x, y = `xy_cm` (n, 2)."""
    squared = (xy_cm**2).sum(1)
    depth = np.full(len(xy_cm), 8.0)
    for _ in range(iterations):
        norm = np.sqrt(squared + depth**2)
        x, y, f, n = (c[:, None].astype(F32) for c in (xy_cm[:, 0], xy_cm[:, 1], depth, norm))
        radius = look_up(identity.radius_chart, (x, y, f), n)[:, 0]
        depth = np.sqrt(np.maximum(radius.astype(np.float64) ** 2 - squared, 1.0))
    return np.concatenate([xy_cm, depth[:, None]], 1)
