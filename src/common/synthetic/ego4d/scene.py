"""Staging an egocentric clip: who is where, what they look at, how the camera moves."""

from dataclasses import dataclass

import numpy as np

from common.arrays import Float
from common.geometry import CAMERA_TO_VIEWER, gaze_angles
from common.synthetic.behaviour.attention import Habits, plan_attention
from common.synthetic.behaviour.camera_path import CameraPath, sample_camera_path
from common.synthetic.behaviour.motion import blinks, smooth_noise
from common.synthetic.behaviour.performance import Performance, perform
from common.synthetic.ego4d.plan import MAX_PEOPLE, ClipPlan, Ego4dPlan
from common.synthetic.people.sampling import sample_traits
from common.synthetic.rendering.occlusion import Passer, visible_shares
from common.synthetic.rendering.placement import centred_camera

# Focal length over the image's width: 62 to 70 degrees of view.
FOCAL_WIDTHS = (0.72, 0.83)
# Face widths in parts of the image's width, those of a few people farther off, and their share.
FACE_WIDTHS, FAR_FACE_WIDTHS, FAR_SHARE = (0.075, 0.20), (0.052, 0.075), 0.12
FACE_WIDTH_CM = 15.0
# Where people are, degrees to the right of the camera's resting direction, for two and three.
PLACES_DEG, THREE_SHARE = {2: (-13.0, 13.0), 3: (-20.0, 0.0, 20.0)}, 0.65
PLACE_SPREAD_DEG, ELEVATION_DEG = 3.0, (-4.0, 5.0)
DRIFT_CM, DRIFT_TAU_FRAMES = np.array([2.5, 1.2, 3.5]), 24.0
# Some walk by; centimetres a frame, the step's length in frames, how far the head bobs.
WALKER_SHARE, WALK_CM_PER_FRAME, STEP_FRAMES, BOB_CM = 0.3, (1.6, 3.2), 16.0, 1.4
WALKER_TURN_DEG = 32.0
REST_SPREAD_DEG, REST_LIMIT_DEG = np.array([11.0, 4.0]), np.array([30.0, 10.0])
# People differ in how much they seek the camera: factors on the wanted share.
SHARE_FACTORS = (0.55, 1.8)
PUPIL_RADIUS_CM = (0.18, 0.30)
PASSER_SHARE, PASSER_HALF_WIDTHS, PASSER_SPEED_WIDTHS = 0.4, (0.04, 0.10), (0.008, 0.045)


@dataclass(frozen=True)
class Actor:
    """A person in a scene.

    Attributes:
        person_id: "1", "2", ...; "0" is the wearer of the camera.
        performance: what the person does.
        pupil_radius_cm: radius of the pupils.
        visible: (N,) how much of the face can be seen, in [0, 1].
    """

    person_id: str
    performance: Performance
    pupil_radius_cm: float
    visible: Float


@dataclass(frozen=True)
class Scene:
    """A clip ready to be filmed; nothing in it needs drawing, so that labels cost little."""

    clip: ClipPlan
    camera: CameraPath
    actors: tuple[Actor, ...]
    passer: Passer | None

    @property
    def num_frames(self) -> int:
        """Frames of the clip."""
        return len(self.camera.position_cm)


def stage(plan: Ego4dPlan, clip: ClipPlan) -> Scene:
    """Return the scene of a clip; always the same for one plan."""
    streams = np.random.default_rng(clip.entropy).spawn(MAX_PEOPLE + 4)
    cast_rng, camera_rng, passer_rng, pupil_rng, *people_rngs = streams
    focal_px = cast_rng.uniform(*FOCAL_WIDTHS) * plan.image_size[0]
    camera = sample_camera_path(
        camera_rng, plan.num_frames, centred_camera(plan.image_size, focal_px)
    )
    places = _place_people(cast_rng, plan.num_frames, camera.matrix, plan.image_size[0])
    performances = [
        _perform(people_rngs[person], plan, clip, person, places, camera)
        for person in range(len(places))
    ]
    passer = _sample_passer(passer_rng, plan, performances)
    actors = [
        Actor(
            str(person + 1),
            performance,
            float(pupil_rng.uniform(*PUPIL_RADIUS_CM)),
            _visible(person, performances, camera.matrix, passer, plan.image_size),
        )
        for person, performance in enumerate(performances)
    ]
    return Scene(clip, camera, tuple(actors), passer)


@dataclass(frozen=True)
class _Place:
    """Where a person's head is, (N, 3) in world axes, and how it rests, (2,) degrees."""

    path_cm: Float
    rest_deg: Float


def _place_people(
    rng: np.random.Generator, num_frames: int, matrix: Float, image_width: int
) -> list[_Place]:
    directions_deg = PLACES_DEG[3 if rng.random() < THREE_SHARE else 2]
    walker = int(rng.integers(len(directions_deg))) if rng.random() < WALKER_SHARE else -1
    places = []
    for person, direction_deg in enumerate(directions_deg):
        widths = FAR_FACE_WIDTHS if rng.random() < FAR_SHARE else FACE_WIDTHS
        distance_cm = FACE_WIDTH_CM * matrix[0, 0] / (rng.uniform(*widths) * image_width)
        yaw = np.radians(direction_deg + rng.normal(0, PLACE_SPREAD_DEG))
        pitch = np.radians(rng.uniform(*ELEVATION_DEG))
        place_cm = distance_cm * np.array([np.tan(yaw), -np.tan(pitch), 1.0])
        path_cm = place_cm + smooth_noise(rng, num_frames, DRIFT_CM, DRIFT_TAU_FRAMES, 3)
        rest = rng.normal(0, REST_SPREAD_DEG)
        if person == walker:
            heading = int(rng.choice([-1, 1]))
            path_cm += heading * _walk_cm(rng, num_frames)
            rest[0] += heading * WALKER_TURN_DEG
        places.append(_Place(path_cm, np.clip(rest, -REST_LIMIT_DEG, REST_LIMIT_DEG)))
    return places


def _walk_cm(rng: np.random.Generator, num_frames: int) -> Float:
    """Return a walk to the image's right (N, 3) that passes by zero somewhere on its way."""
    frame = np.arange(num_frames) - rng.uniform(0.25, 0.75) * num_frames
    ahead = rng.uniform(*WALK_CM_PER_FRAME) * frame
    bob = BOB_CM * np.sin(2 * np.pi * frame / STEP_FRAMES)
    return np.stack([ahead, bob, np.zeros(num_frames)], 1)


def _perform(
    rng: np.random.Generator,
    plan: Ego4dPlan,
    clip: ClipPlan,
    person: int,
    places: list[_Place],
    camera: CameraPath,
) -> Performance:
    here = places[person]
    others = [place.path_cm.mean(0) for place in places if place is not here]
    share = 0.0 if clip.is_aloof else plan.looking_share * rng.uniform(*SHARE_FACTORS)
    habits = Habits(
        looking_share=float(share),
        looking_angle_deg=plan.looking_angle_deg,
        rest_deg=here.rest_deg,
        neighbours_deg=_directions_deg(here.path_cm.mean(0), others),
    )
    attention = plan_attention(rng, plan.num_frames, habits)
    closure = blinks(rng, plan.num_frames)
    traits = sample_traits(clip.identity_seed(person))
    return perform(rng, traits, attention, closure, here.path_cm, camera)


def _directions_deg(from_cm: Float, to_cm: list[Float]) -> Float:
    """Return where others are (k, 2), away from the way to the resting camera."""
    to_camera = gaze_angles(-from_cm @ CAMERA_TO_VIEWER)
    to_others = gaze_angles((np.stack(to_cm) - from_cm) @ CAMERA_TO_VIEWER)
    turn = np.degrees(to_others - to_camera)
    return (turn + 180) % 360 - 180


def _sample_passer(
    rng: np.random.Generator, plan: Ego4dPlan, performances: list[Performance]
) -> Passer | None:
    """Draw a thing that passes right before somebody's face, or nothing."""
    if rng.random() >= PASSER_SHARE:
        return None
    victim, meeting = rng.integers(len(performances)), int(rng.integers(plan.num_frames))
    x0, y0, x1, y1 = performances[victim].boxes_xyxy_px[meeting]
    width = plan.image_size[0]
    heading = rng.normal(0, 0.25) + rng.choice([0.0, np.pi])
    speed_px = width * rng.uniform(*PASSER_SPEED_WIDTHS)
    velocity: Float = speed_px * np.array([np.cos(heading), np.sin(heading)])
    frame = np.arange(plan.num_frames)[:, None] - meeting
    return Passer(
        centre_px=frame * velocity + np.array([(x0 + x1) / 2, (y0 + y1) / 2]),
        half_px=width * rng.uniform(*PASSER_HALF_WIDTHS, 2),
        tilt_rad=float(rng.uniform(0, np.pi)),
        rgb=rng.uniform(0.03, 0.5) * rng.uniform(0.7, 1.3, 3),
    )


def _visible(
    person: int,
    performances: list[Performance],
    matrix: Float,
    passer: Passer | None,
    image_size: tuple[int, int],
) -> Float:
    own = performances[person].position_cm
    nearer = [
        np.where(other.position_cm[:, 2:] < own[:, 2:], other.position_cm, np.nan)
        for index, other in enumerate(performances)
        if index != person
    ]
    boxes = performances[person].boxes_xyxy_px
    return visible_shares(boxes, nearer, matrix, passer, image_size)
