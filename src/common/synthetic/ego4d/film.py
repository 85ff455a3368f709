"""Filming a staged scene: the frames of an egocentric clip."""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from common.arrays import Array, Float, Image
from common.synthetic.behaviour.camera_path import CameraPath
from common.synthetic.behaviour.motion import excursion, smooth_noise
from common.synthetic.ego4d.scene import Actor, Scene
from common.synthetic.people.head import make_identity
from common.synthetic.photo import develop
from common.synthetic.rendering.backdrop import sample_backdrop
from common.synthetic.rendering.face_pose import FacePose
from common.synthetic.rendering.lighting import Lighting, sample_lighting
from common.synthetic.rendering.placement import project
from common.synthetic.rendering.renderer import draw_face

F32 = np.float32

FILM_STREAM = 13
# The surroundings in units of the image, drawn at a part of its resolution: they are blurred.
SURROUNDINGS, BACKDROP_SCALE = (2.4, 2.0), 0.5
# Blurred furniture: how many, their sides and their blur in heights of the surroundings.
THINGS, THING_HEIGHTS, THING_BLUR_HEIGHTS = (15, 40), (0.04, 0.35), (0.003, 0.012)
EXPOSURE, EXPOSURE_FLICKER, NOISE_LEVELS = (0.85, 1.2), 0.02, (0.5, 2.5)
LOW_LIGHT_SHARE, LOW_EXPOSURE, LOW_LIGHT_NOISE = 0.2, (0.38, 0.62), (4.0, 7.0)
SHARP_BLUR_WIDTHS = (0.3e-3, 0.7e-3)
# A lens that hunts for focus: how far it goes off, for how long.
DEFOCUS_SHARE, DEFOCUS_WIDTHS, DEFOCUS_FRAMES = 0.3, (1.4e-3, 2.8e-3), (6, 20)
# A shorter smear counts as defocus, which costs less; a longer one is cut.
SMEAR_WIDTHS = (2.6e-3, 0.035)
# Standard deviation of a smear of length 1.
SMEAR_SPREAD = 12**-0.5
# Enough for faces up to 200 pixels wide.
PAINT_CHART_SIZE = 512
# People wholly beyond the border, by their head's reach, are not drawn.
HEAD_REACH_CM, BODY_REACH_CM = 20.0, 30.0


@dataclass(frozen=True)
class _Look:
    """The light of a clip and what the camera makes of it, frame by frame.

    Attributes:
        lighting: the lamp.
        surroundings: linear RGB at `BACKDROP_SCALE`.
        exposure: (N,).
        blur_px: (N,) standard deviation of the defocus.
        noise_levels: standard deviation of the noise, of 255.
    """

    lighting: Lighting
    surroundings: Float
    exposure: Float
    blur_px: Float
    noise_levels: float


def film(scene: Scene, image_size: tuple[int, int]) -> Iterator[Image]:
    """Yield the frames (H, W, 3) uint8 RGB of a scene; `image_size` is (width, height) px."""
    rng = np.random.default_rng([FILM_STREAM, *scene.clip.entropy])
    look = _sample_look(rng, scene.num_frames, image_size)
    for frame in range(scene.num_frames):
        canvas = _surroundings(look.surroundings, scene.camera, frame, image_size)
        far_to_near = sorted(scene.actors, key=lambda a: -a.performance.position_cm[frame, 2])
        for actor in far_to_near:
            _draw(canvas, actor, frame, scene.camera.matrix, look.lighting)
        if scene.passer is not None:
            scene.passer.paint(canvas, frame)
        canvas, blur_px = _smeared(canvas, scene.camera.smear_px[frame], look.blur_px[frame])
        yield develop(
            canvas,
            rng,
            exposure=float(look.exposure[frame]),
            blur_px=blur_px,
            noise_levels=look.noise_levels,
        )


def _sample_look(rng: np.random.Generator, num_frames: int, image_size: tuple[int, int]) -> _Look:
    is_dark = rng.random() < LOW_LIGHT_SHARE
    width, height = (
        int(side * part * BACKDROP_SCALE)
        for side, part in zip(image_size, SURROUNDINGS, strict=True)
    )
    flicker = smooth_noise(rng, num_frames, EXPOSURE_FLICKER, 6.0, 1)[:, 0]
    exposure = rng.uniform(*(LOW_EXPOSURE if is_dark else EXPOSURE)) * (1 + flicker)
    blur: Float = np.full(num_frames, rng.uniform(*SHARP_BLUR_WIDTHS))
    if rng.random() < DEFOCUS_SHARE:
        ramp, stay = (int(n) for n in rng.integers(*DEFOCUS_FRAMES, 2))
        start = int(rng.integers(-ramp, num_frames))
        blur += rng.uniform(*DEFOCUS_WIDTHS) * excursion(num_frames, start, ramp, stay, ramp)
    return _Look(
        lighting=sample_lighting(rng),
        surroundings=_furnished(rng, sample_backdrop(rng, height, width)),
        exposure=exposure,
        blur_px=blur * image_size[0],
        noise_levels=float(rng.uniform(*(LOW_LIGHT_NOISE if is_dark else NOISE_LEVELS))),
    )


def _furnished(rng: np.random.Generator, wall: Float) -> Float:
    """Return a wall (H, W, 3) with blurred things before it, so that turns of the camera show."""
    height, width = wall.shape[:2]
    for _ in range(int(rng.integers(*THINGS))):
        side = height * rng.uniform(*THING_HEIGHTS, 2)
        corner = rng.uniform([0, 0.1 * height], [width, 0.9 * height])
        tone = rng.uniform(0.04, 0.6) * rng.uniform(0.75, 1.25, 3)
        low, high = np.round(corner - side / 2).astype(int), np.round(corner + side / 2).astype(int)
        cv2.rectangle(wall, low.tolist(), high.tolist(), tone.tolist(), cv2.FILLED)
    return cv2.GaussianBlur(wall, (0, 0), height * rng.uniform(*THING_BLUR_HEIGHTS))


def _surroundings(
    backdrop: Float, camera: CameraPath, frame: int, image_size: tuple[int, int]
) -> Float:
    """Return what is behind the people as the turned camera sees it, (H, W, 3)."""
    width, height = (round(side * BACKDROP_SCALE) for side in image_size)
    small = np.diag([BACKDROP_SCALE, BACKDROP_SCALE, 1.0]) @ camera.matrix
    wide = small.copy()
    wide[:2, 2] = (backdrop.shape[1] - 1) / 2, (backdrop.shape[0] - 1) / 2
    to_image = small @ camera.to_world[frame].T @ np.linalg.inv(wide)
    seen = cv2.warpPerspective(
        backdrop, to_image, (width, height), borderMode=cv2.BORDER_REFLECT_101
    )
    return cv2.resize(seen, image_size, interpolation=cv2.INTER_LINEAR)


def _draw(
    canvas: Float, actor: Actor, frame: int, camera_matrix: Float, lighting: Lighting
) -> None:
    act = actor.performance
    if not _is_in_sight(canvas, act.position_cm[frame], camera_matrix):
        return
    shut = float(act.closure[frame])
    identity = make_identity(act.traits.seed, PAINT_CHART_SIZE)
    pose = FacePose.of(
        identity,
        head_pose=act.head_pose[frame],
        gaze=act.gaze[frame],
        position_cm=act.position_cm[frame],
        pupil_radius_cm=actor.pupil_radius_cm,
        closure=(shut, shut),
        limit_eye_turn=True,
    )
    draw_face(canvas, identity, pose, camera_matrix, lighting)


def _is_in_sight(canvas: Float, place_cm: Float, camera_matrix: Float) -> bool:
    height, width = canvas.shape[:2]
    x, y = project(camera_matrix, place_cm)
    px_per_cm = camera_matrix[0, 0] / place_cm[2]
    sideways, above = BODY_REACH_CM * px_per_cm, HEAD_REACH_CM * px_per_cm
    return bool(-sideways < x < width + sideways and y < height + above)


def _smeared(canvas: Float, smear_px: Float, blur_px: float) -> tuple[Float, float]:
    """Return the canvas as seen while the camera moved by `smear_px` (2,), and what to blur it."""
    shortest, longest = (part * canvas.shape[1] for part in SMEAR_WIDTHS)
    length = float(np.hypot(*smear_px))
    if length < shortest:
        return canvas, float(np.hypot(blur_px, SMEAR_SPREAD * length))
    half = smear_px / length * min(length, longest) / 2
    radius = int(np.ceil(np.abs(half).max()))
    kernel = np.zeros((2 * radius + 1, 2 * radius + 1), F32)
    steps = np.linspace(-1, 1, 8 * radius + 1)[:, None] * half + radius
    _splat(kernel, steps)
    kernel /= kernel.sum()
    return cv2.filter2D(canvas, -1, kernel, borderType=cv2.BORDER_REPLICATE), blur_px


def _splat(kernel: Float, points: Array) -> None:
    """Add points (n, 2) x, y to a grid, each shared between its four neighbours."""
    corner = np.floor(points).astype(int)
    part = points - corner
    for dx in (0, 1):
        for dy in (0, 1):
            weight = np.abs(1 - dx - part[:, 0]) * np.abs(1 - dy - part[:, 1])
            column = np.minimum(corner[:, 0] + dx, kernel.shape[1] - 1)
            row = np.minimum(corner[:, 1] + dy, kernel.shape[0] - 1)
            np.add.at(kernel, (row, column), weight)
