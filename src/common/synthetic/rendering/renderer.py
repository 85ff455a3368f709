"""Rendering invented people: onto a canvas (for scenes and video) or as a finished photo."""

from dataclasses import dataclass

import cv2
import numpy as np

from common.arrays import Float, Image
from common.synthetic.fields import blend_into
from common.synthetic.people.head import Identity
from common.synthetic.photo import develop
from common.synthetic.rendering.backdrop import sample_backdrop
from common.synthetic.rendering.body import paint_body
from common.synthetic.rendering.eye_paint import paint_eye
from common.synthetic.rendering.face_pose import FaceLabels, FacePose
from common.synthetic.rendering.glasses import GLASSES_REACH_CM, paint_glasses
from common.synthetic.rendering.lighting import FaceLight, Lighting, sample_lighting, shade_skin
from common.synthetic.rendering.placement import HeadPlacement, project
from common.synthetic.rendering.raytrace import Hits, Window, trace_head

F32 = np.float32

PUPIL_RADIUS_CM = (0.16, 0.32)
# Half width of a head's window relative to its half height.
WINDOW_ASPECT = 0.86
# Nearest part of a head before its middle.
FACE_DEPTH_CM = 6.0
MIN_WINDOW_PX = 8
# Gaps in a head narrower than this are rays that slipped past an edge.
CLOSED_PX = 5


@dataclass(frozen=True)
class RenderedFace(FaceLabels):
    """A finished photo (H, W, 3) uint8 RGB and its labels."""

    image: Image


def draw_face(
    canvas: Float, identity: Identity, pose: FacePose, camera_matrix: Float, lighting: Lighting
) -> FaceLabels:
    """Draw one person onto a canvas (H, W, 3) float32 linear RGB, in place; return the labels.

    Far people come first, then nearer ones. To draw into a cut of a larger image, subtract the
    cut's first column and row from the camera's principal point.
    """
    paint_body(canvas, identity, pose.placement, camera_matrix, lighting)
    _paint_head(canvas, identity, pose, camera_matrix, lighting)
    return pose.labels(identity, camera_matrix)


def render_face(
    identity: Identity,
    *,
    head_pose: Float,
    gaze: Float,
    position_cm: Float,
    camera_matrix: Float,
    image_size: tuple[int, int],
    rng: np.random.Generator,
    backdrop: Float | None = None,
    pupil_radius_cm: float | None = None,
) -> RenderedFace:
    """Return a photo of one person; what is not given, light and camera noise are drawn.

    The arguments are as of `FacePose.of` and `draw_face`; `image_size` is (width, height) px, the
    backdrop (height, width, 3) linear RGB. The same state of `rng` gives the same bytes.

    Raises:
        ValueError: as `FacePose.of`.
    """
    width, height = image_size
    # Each part has its own stream, so that giving one leaves the others as they were.
    light_rng, backdrop_rng, eye_rng, photo_rng = rng.spawn(4)
    backdrop = sample_backdrop(backdrop_rng, height, width) if backdrop is None else backdrop
    if pupil_radius_cm is None:
        pupil_radius_cm = float(eye_rng.uniform(*PUPIL_RADIUS_CM))
    canvas = np.array(backdrop, dtype=F32)
    pose = FacePose.of(
        identity,
        head_pose=head_pose,
        gaze=gaze,
        position_cm=position_cm,
        pupil_radius_cm=pupil_radius_cm,
    )
    labels = draw_face(canvas, identity, pose, camera_matrix, sample_lighting(light_rng))
    return RenderedFace(**vars(labels), image=develop(canvas, photo_rng))


def _paint_head(
    canvas: Float, identity: Identity, pose: FacePose, camera_matrix: Float, lighting: Lighting
) -> None:
    placement = pose.placement
    window = _head_window(canvas, identity, placement, camera_matrix)
    if window is None:
        return
    margin_cm = GLASSES_REACH_CM if identity.traits.glasses else 0.0
    traced = trace_head(identity, placement, camera_matrix, window, margin_cm)
    if traced is None:
        return
    hits, window = traced
    light = FaceLight.on(placement, lighting)
    colour = shade_skin(identity, hits, light, lighting)
    pixel_cm = float(placement.position_cm[2] / camera_matrix[0, 0])
    for eye in pose.eyes:
        paint_eye(colour, identity, eye, hits, pixel_cm, light, lighting)
    blend_into(canvas[window.slices], colour, _coverage(hits, pixel_cm))
    paint_glasses(canvas, identity, placement, camera_matrix, lighting, hits, window)


def _head_window(
    canvas: Float, identity: Identity, placement: HeadPlacement, camera_matrix: Float
) -> Window | None:
    """Return the even-sized rectangle of the canvas that can show the head."""
    height, width = canvas.shape[:2]
    centre = project(camera_matrix, placement.position_cm)
    reach = camera_matrix[0, 0] * identity.bounding_radius_cm
    half_height = reach / (placement.position_cm[2] - FACE_DEPTH_CM)
    half = np.array([half_height * WINDOW_ASPECT, half_height])
    x0, y0 = np.maximum(centre - half, 0).astype(int)
    x1, y1 = np.minimum(centre + half, [width, height]).astype(int)
    window = Window(int(x0), int(y0), int(x1 - x0) // 2 * 2, int(y1 - y0) // 2 * 2)
    return window if min(window.width, window.height) >= MIN_WINDOW_PX else None


def _coverage(hits: Hits, pixel_cm: float) -> Float:
    """Return how much of each pixel the head fills, from how far its ray misses it."""
    cover = np.clip(F32(1.3) - hits.gap_cm / F32(pixel_cm * 1.6), 0, 1)
    # Behind the edge of a nose or a cheek is more face, never what is behind the head.
    return cv2.morphologyEx(cover, cv2.MORPH_CLOSE, np.ones((CLOSED_PX, CLOSED_PX), np.uint8))
