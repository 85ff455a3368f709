"""Planning the photos of a Columbia-shaped data set: who looks where, seen how."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np

from common.arrays import Float
from common.synthetic.rendering.placement import (
    MAX_EYE_IN_HEAD_RAD,
    centred_camera,
    eye_in_head_rad,
)
from common.synthetic.rendering.renderer import PUPIL_RADIUS_CM

CAMERA_DISTANCE_CM = 200.0
# Pixels for a centimetre at the head when the photo's shorter side is 480: faces 220-260 px wide.
PX_PER_CM_AT_480 = (14.6, 16.6)
SIDEWAYS_CM, HEIGHT_CM = (-1.5, 1.5), (-2.2, -0.2)
# Jitter is a normal deviate cut here, in standard deviations.
MAX_DEVIATION = 2.0
# Streams of randomness: identities, a subject's photos.
IDENTITY_STREAM, SHOT_STREAM = 1, 2
# Keeps angles in a seed's entropy non-negative.
ANGLE_OFFSET = 1000


@dataclass(frozen=True)
class ColumbiaPlan:
    """All that decides the data set; `columbia.writer.write_columbia` says what each one means."""

    num_subjects: int
    head_yaws_deg: tuple[int, ...]
    gaze_pitches_deg: tuple[int, ...]
    gaze_yaws_deg: tuple[int, ...]
    image_size: tuple[int, int]
    seed: int
    jpeg_quality: int
    head_pitch_jitter_deg: float
    head_roll_jitter_deg: float

    @property
    def photos_per_subject(self) -> int:
        """How many photos each subject has: one for each combination that eyes can reach."""
        return len(self._grid())

    def check(self) -> None:
        """Raise ValueError if the plan cannot be carried out."""
        if not 1 <= self.num_subjects <= 9999:
            raise ValueError(f"num_subjects is {self.num_subjects}, expected 1 to 9999")
        if min(self.image_size) < 96:
            raise ValueError(f"image_size is {self.image_size}, expected at least (96, 96)")
        if not all((self.head_yaws_deg, self.gaze_pitches_deg, self.gaze_yaws_deg)):
            raise ValueError("a list of angles is empty; each needs at least one angle")
        if not self.photos_per_subject:
            raise ValueError(
                f"eyes turn {np.degrees(MAX_EYE_IN_HEAD_RAD):.0f} degrees in the head, all photos "
                "ask for more (jitter included): choose smaller head_yaws_deg, gaze_yaws_deg or "
                "head_pitch_jitter_deg"
            )

    def shots(self, subject: int) -> Iterator["Shot"]:
        """Yield a subject's photos in the order P, V, H; `subject` counts from 1."""
        for head_yaw, gaze_pitch, gaze_yaw in self._grid():
            yield _plan_shot(self, subject, head_yaw, gaze_pitch, gaze_yaw)

    def _grid(self) -> list[tuple[int, int, int]]:
        """Return head yaw, gaze pitch and gaze yaw of each photo, those that eyes can reach."""
        angles = product(self.head_yaws_deg, self.gaze_pitches_deg, self.gaze_yaws_deg)
        limit_deg = np.degrees(MAX_EYE_IN_HEAD_RAD)
        return [each for each in angles if self._eye_turn_deg(*each) <= limit_deg]

    def _eye_turn_deg(self, head_yaw: int, gaze_pitch: int, gaze_yaw: int) -> float:
        nod = MAX_DEVIATION * self.head_pitch_jitter_deg
        gaze = np.radians([gaze_yaw, gaze_pitch])
        poses = np.radians([[nod, head_yaw, 0.0], [-nod, head_yaw, 0.0]])
        return float(np.degrees(max(eye_in_head_rad(gaze, pose) for pose in poses)))


@dataclass(frozen=True)
class Shot:
    """One photo to take.

    Attributes:
        sample_id: the photo's name without suffix.
        head_pose: (3,) [pitch, yaw, roll], radians.
        gaze: (2,) [yaw, pitch], radians.
        position_cm: (3,) the head's middle in camera axes.
        camera_matrix: (3, 3).
        pupil_radius_cm: radius of the pupils.
        photo_seed: decides light and noise.
    """

    sample_id: str
    head_pose: Float
    gaze: Float
    position_cm: Float
    camera_matrix: Float
    pupil_radius_cm: float
    photo_seed: int


def identity_seed(seed: int, subject: int) -> int:
    """Return the seed of a subject's identity."""
    return int(np.random.SeedSequence([IDENTITY_STREAM, seed, subject]).generate_state(1)[0])


def _plan_shot(
    plan: ColumbiaPlan, subject: int, head_yaw: int, gaze_pitch: int, gaze_yaw: int
) -> Shot:
    angles = [angle + ANGLE_OFFSET for angle in (head_yaw, gaze_pitch, gaze_yaw)]
    rng = np.random.default_rng([SHOT_STREAM, plan.seed, subject, *angles])
    spread = np.array([plan.head_pitch_jitter_deg, 0.0, plan.head_roll_jitter_deg])
    jitter = np.clip(rng.standard_normal(3), -MAX_DEVIATION, MAX_DEVIATION) * spread
    position = np.array([rng.uniform(*SIDEWAYS_CM), rng.uniform(*HEIGHT_CM), CAMERA_DISTANCE_CM])
    px_per_cm = rng.uniform(*PX_PER_CM_AT_480) * min(plan.image_size) / 480
    return Shot(
        sample_id=f"{subject:04d}_2m_{head_yaw}P_{gaze_pitch}V_{gaze_yaw}H",
        head_pose=np.radians(np.array([0.0, head_yaw, 0.0]) + jitter),
        gaze=np.radians([float(gaze_yaw), float(gaze_pitch)]),
        position_cm=position,
        camera_matrix=centred_camera(plan.image_size, px_per_cm * CAMERA_DISTANCE_CM),
        pupil_radius_cm=float(rng.uniform(*PUPIL_RADIUS_CM)),
        photo_seed=int(rng.integers(2**63)),
    )
