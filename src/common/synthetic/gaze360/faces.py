"""Planning and drawing the faces of a Gaze360-shaped data set."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from common.arrays import Float, Image
from common.geometry import gaze_vector
from common.synthetic.behaviour.attention import Habits, plan_attention
from common.synthetic.behaviour.camera_path import resting_camera
from common.synthetic.behaviour.motion import blinks
from common.synthetic.behaviour.performance import perform
from common.synthetic.ego4d.film import (
    EXPOSURE,
    LOW_EXPOSURE,
    LOW_LIGHT_NOISE,
    LOW_LIGHT_SHARE,
    NOISE_LEVELS,
)
from common.synthetic.ego4d.scene import PUPIL_RADIUS_CM
from common.synthetic.people.head import make_identity
from common.synthetic.people.identity import Traits
from common.synthetic.people.sampling import sample_traits
from common.synthetic.photo import develop
from common.synthetic.rendering.backdrop import sample_backdrop
from common.synthetic.rendering.face_pose import FacePose
from common.synthetic.rendering.lighting import sample_lighting
from common.synthetic.rendering.renderer import draw_face

PARTS = ("train", "val", "test")
POSE_STREAM, FACE_STREAM = 21, 22
# Recordings do not mix parts; each is one group of a store.
PEOPLE_PER_RECORDING = 10
# Faces of one person are this many frames apart: other fixations.
FRAMES_BETWEEN = 12
# The angle that the demo clips call looking, and how much of the time people do.
LOOKING_ANGLE_DEG, LOOKING_SHARE = 7.0, (0.14, 0.45)
REST_SPREAD_DEG, REST_LIMIT_DEG = np.array([13.0, 5.0]), np.array([30.0, 10.0])
DISTANCE_CM = (60.0, 220.0)
# Boxes of annotators and detectors are off by this part of the face's width.
BOX_SPREAD = 0.02
BLUR_PX, DEFOCUS_SHARE, DEFOCUS_PX = (0.3, 0.8), 0.15, (0.0, 2.0)
# Enough for faces up to 200 pixels wide; eyes are painted apart from it.
PAINT_CHART_SIZE = 256
# From the viewer frame to Gaze360's eye coordinates: x to the left, z away.
GAZE360_AXES = np.array([-1.0, 1.0, -1.0])


@dataclass(frozen=True)
class Gaze360Person:
    """One person to draw: part, folder below ``imgs``, and what the random numbers grow from."""

    part: str
    folder: str
    entropy: tuple[int, ...]

    @property
    def traits(self) -> Traits:
        """Who it is."""
        return sample_traits(int(np.random.SeedSequence(self.entropy).generate_state(1)[0]))


@dataclass(frozen=True)
class Gaze360Plan:
    """All that decides the data set; `gaze360.writer.write_gaze360` says what each one means."""

    num_people: tuple[int, int, int]
    faces_per_person: int
    face_width_px: tuple[int, int]
    seed: int

    def check(self) -> None:
        """Raise ValueError if the plan cannot be carried out."""
        if min(self.num_people) < 0 or sum(self.num_people) == 0:
            raise ValueError(
                f"the numbers of train, val and test people are {list(self.num_people)}, "
                "expected none negative and at least one positive"
            )
        if self.faces_per_person < 1:
            raise ValueError(f"faces_per_person is {self.faces_per_person}, expected 1 or more")
        least, largest = self.face_width_px
        if not 40 <= least <= largest <= 200:
            raise ValueError(f"face_width_px is {[least, largest]}, expected 40 to 200, ascending")

    def people(self) -> Iterator[Gaze360Person]:
        """Yield everybody: train, val, test."""
        recording = 0
        for part, num_people in enumerate(self.num_people):
            for identity in range(num_people):
                place = identity % PEOPLE_PER_RECORDING
                recording += place == 0
                folder = f"rec_{recording - 1:03d}/head/{place:06d}"
                yield Gaze360Person(PARTS[part], folder, (self.seed, part, identity))


@dataclass(frozen=True)
class Pose:
    """How one face is seen.

    Attributes:
        gaze: [yaw, pitch], viewer frame, radians.
        head_pose: [pitch, yaw, roll], viewer frame, radians.
        closure: of the eyes, 0 open .. 1 shut.
        box_xyxy: the face's tight box in units of the focal length.
        distance_cm: of the head from the camera.
    """

    gaze: Float
    head_pose: Float
    closure: float
    box_xyxy: Float
    distance_cm: float

    @property
    def gaze360_vector(self) -> Float:
        """The gaze as a unit vector (3,) in Gaze360's eye coordinates."""
        return gaze_vector(self.gaze) * GAZE360_AXES


def poses(plan: Gaze360Plan, person: Gaze360Person) -> list[Pose]:
    """Return the poses of a person's faces; always the same for one plan."""
    rng = np.random.default_rng([POSE_STREAM, *person.entropy])
    num_frames = plan.faces_per_person * FRAMES_BETWEEN
    rest_deg = np.clip(rng.normal(0, REST_SPREAD_DEG), -REST_LIMIT_DEG, REST_LIMIT_DEG)
    habits = Habits(
        looking_share=float(rng.uniform(*LOOKING_SHARE)),
        looking_angle_deg=LOOKING_ANGLE_DEG,
        rest_deg=rest_deg,
        neighbours_deg=np.zeros((0, 2)),
    )
    distance_cm = float(rng.uniform(*DISTANCE_CM))
    act = perform(
        rng,
        person.traits,
        plan_attention(rng, num_frames, habits),
        blinks(rng, num_frames),
        np.tile([0.0, 0.0, distance_cm], (num_frames, 1)),
        resting_camera(num_frames, np.eye(3)),
    )
    return [
        Pose(
            act.gaze[frame],
            act.head_pose[frame],
            float(act.closure[frame]),
            act.boxes_xyxy_px[frame],
            distance_cm,
        )
        for frame in range(0, num_frames, FRAMES_BETWEEN)
    ]


def draw(plan: Gaze360Plan, person: Gaze360Person, performed: list[Pose]) -> Iterator[Image]:
    """Yield a person's faces (H, W, 3) uint8 RGB, each in another light before another wall."""
    identity = make_identity(person.traits.seed, PAINT_CHART_SIZE)
    for number, pose in enumerate(performed):
        rng = np.random.default_rng([FACE_STREAM, *person.entropy, number])
        camera_matrix, width, height = _cut(plan, rng, pose.box_xyxy)
        canvas = sample_backdrop(rng, height, width)
        lighting = sample_lighting(rng)
        face = FacePose.of(
            identity,
            head_pose=pose.head_pose,
            gaze=pose.gaze,
            position_cm=np.array([0.0, 0.0, pose.distance_cm]),
            pupil_radius_cm=float(rng.uniform(*PUPIL_RADIUS_CM)),
            closure=(pose.closure, pose.closure),
            limit_eye_turn=True,
        )
        draw_face(canvas, identity, face, camera_matrix, lighting)
        yield _photo(canvas, rng)


def _cut(plan: Gaze360Plan, rng: np.random.Generator, box_xyxy: Float) -> tuple[Float, int, int]:
    """Return the camera (3, 3) that shows just the face, and the image's width and height."""
    width_px = rng.uniform(*plan.face_width_px)
    focal_px = width_px / (box_xyxy[2] - box_xyxy[0])
    box = box_xyxy * focal_px + rng.normal(0, BOX_SPREAD, 4) * width_px
    left, top = np.floor(box[:2])
    width, height = (int(side) for side in np.ceil(box[2:] - box[:2]))
    matrix = np.array([[focal_px, 0, -left], [0, focal_px, -top], [0, 0, 1.0]])
    return matrix, width, height


def _photo(canvas: Float, rng: np.random.Generator) -> Image:
    is_dark = rng.random() < LOW_LIGHT_SHARE
    defocus_px = rng.uniform(*DEFOCUS_PX) if rng.random() < DEFOCUS_SHARE else 0.0
    return develop(
        canvas,
        rng,
        exposure=rng.uniform(*(LOW_EXPOSURE if is_dark else EXPOSURE)),
        blur_px=rng.uniform(*BLUR_PX) + defocus_px,
        noise_levels=rng.uniform(*(LOW_LIGHT_NOISE if is_dark else NOISE_LEVELS)),
    )
