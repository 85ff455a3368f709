"""What a person in a video looks at: fixations on the camera, on others and elsewhere.

Angles are degrees [to the image's right, up] away from the line from the person to the camera:
(0, 0) is a look into the camera.
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from common.arrays import Float, Ints
from common.synthetic.behaviour.motion import follow

# Looks into the camera miss it by this much (standard deviation and most).
AIM_SPREAD_DEG, AIM_LIMIT_DEG = 0.9, 2.4
# How long a fixation lasts, frames at 30 Hz.
CAMERA_FRAMES, ELSEWHERE_FRAMES = (14, 50), (9, 36)
# Shares of what is looked at when it is not the camera; another person only if there is one.
ASIDE_SHARE, DOWN_SHARE, NEAR_MISS_SHARE = 0.50, 0.20, 0.05
ASIDE_DEG, DOWN_DEG = (14.0, 38.0), (17.0, 34.0)
# A near miss is this much farther from the camera than what counts as looking.
NEAR_MISS_DEG = (3.0, 7.0)
# Nobody looks past another's shoulder into the camera.
NEAREST_NEIGHBOUR_DEG = 14.0
MAX_GAZE_DEG = np.array([60.0, 36.0])
# How much of a shift of gaze the head takes over: of those who turn it, and of those who do not.
TURNING_GAIN, STILL_GAIN = (0.45, 0.8), (0.05, 0.3)
STILL_SHARE = 0.35
# Now and then the head points elsewhere for no reason.
ODD_TURN_SHARE, ODD_TURN_DEG = 0.25, (10.0, 22.0)
MAX_HEAD_DEG = np.array([58.0, 24.0])
COMFORTABLE_EYE_TURN_DEG = np.array([30.0, 20.0])
HEAD_TAU_FRAMES = 4.0
# Some face something else than the camera, and are seen in profile or from behind a cheek.
AWAY_SHARE, AWAY_DEG, AWAY_PITCH_SPREAD_DEG, AWAY_LIMIT_DEG = 0.25, (30.0, 80.0), 9.0, 95.0
# Fixations begin this long before the video, so that its first frame is like any other.
LEAD_FRAMES = 45


class Target(IntEnum):
    """What is looked at."""

    CAMERA = 0
    ASIDE = 1
    DOWN = 2
    NEAR_MISS = 3
    PERSON = 4


@dataclass(frozen=True)
class Habits:
    """How somebody looks around.

    Attributes:
        looking_share: wanted share of time with the gaze on the camera; 0 avoids it altogether.
        looking_angle_deg: the angle from the camera below which a gaze counts as looking.
        rest_deg: (2,) where the head points at rest.
        neighbours_deg: (k, 2) where other people are.
    """

    looking_share: float
    looking_angle_deg: float
    rest_deg: Float
    neighbours_deg: Float

    @property
    def reachable_neighbours_deg(self) -> Float:
        """The neighbours that do not stand between this person and the camera."""
        return self.neighbours_deg[np.hypot(*self.neighbours_deg.T) > NEAREST_NEIGHBOUR_DEG]


@dataclass(frozen=True)
class Attention:
    """Gaze and head over N frames.

    Attributes:
        gaze_deg: (N, 2) where the eyes want to look.
        head_deg: (N, 2) where the head points.
        target: (N,) the `Target`.
    """

    gaze_deg: Float
    head_deg: Float
    target: Ints


def plan_attention(rng: np.random.Generator, num_frames: int, habits: Habits) -> Attention:
    """Return where somebody looks in each frame: eyes jump, the head follows in part."""
    total = num_frames + LEAD_FRAMES
    is_away = rng.random() < AWAY_SHARE
    gaze, head, target = np.empty((total, 2)), np.empty((total, 2)), np.empty(total, np.int64)
    frame, current = 0, Target.ASIDE
    while frame < total:
        current = _next_target(rng, habits, current)
        aim = _aim_deg(rng, habits, current)
        window = slice(frame, frame + _duration(rng, current))
        gaze[window] = aim
        head[window] = _head_aim_deg(rng, habits, aim)
        target[window] = current
        frame = window.stop
    gaze = _with_saccades(gaze, target, rng, habits) + _fixation_drift(rng, total)
    head = follow(head, HEAD_TAU_FRAMES)
    attention = Attention(gaze[LEAD_FRAMES:], head[LEAD_FRAMES:], target[LEAD_FRAMES:])
    return _turned_away(rng, attention) if is_away else attention


def _turned_away(rng: np.random.Generator, attention: Attention) -> Attention:
    """Return the same about something far from the camera."""
    turn_deg = [_either_side(rng) * rng.uniform(*AWAY_DEG), rng.normal(0, AWAY_PITCH_SPREAD_DEG)]
    gaze, head = (
        np.clip(angles + turn_deg, [-AWAY_LIMIT_DEG, -90], [AWAY_LIMIT_DEG, 90])
        for angles in (attention.gaze_deg, attention.head_deg)
    )
    return Attention(gaze, head, np.full_like(attention.target, Target.ASIDE))


def _next_target(rng: np.random.Generator, habits: Habits, last: Target) -> Target:
    if last is not Target.CAMERA and rng.random() < _camera_chance(habits.looking_share):
        return Target.CAMERA
    draw = rng.random()
    for share, target in (
        (ASIDE_SHARE, Target.ASIDE),
        (DOWN_SHARE, Target.DOWN),
        (NEAR_MISS_SHARE, Target.NEAR_MISS),
    ):
        if draw < share:
            return target
        draw -= share
    return Target.PERSON if len(habits.reachable_neighbours_deg) else Target.ASIDE


def _camera_chance(looking_share: float) -> float:
    """Return how often a fixation elsewhere must be followed by the camera."""
    ratio = looking_share / (1 - looking_share)
    return min(ratio * sum(ELSEWHERE_FRAMES) / sum(CAMERA_FRAMES), 1.0)


def _duration(rng: np.random.Generator, target: Target) -> int:
    limits = CAMERA_FRAMES if target is Target.CAMERA else ELSEWHERE_FRAMES
    return int(rng.integers(*limits, endpoint=True))


def _aim_deg(rng: np.random.Generator, habits: Habits, target: Target) -> Float:
    if target is Target.CAMERA:
        return np.zeros(2)
    if target is Target.ASIDE:
        return np.array([_either_side(rng) * rng.uniform(*ASIDE_DEG), rng.normal(-3.0, 6.0)])
    if target is Target.DOWN:
        return np.array([rng.normal(0.0, 11.0), -rng.uniform(*DOWN_DEG)])
    if target is Target.NEAR_MISS:
        radius = habits.looking_angle_deg + rng.uniform(*NEAR_MISS_DEG)
        turn = rng.uniform(0, 2 * np.pi)
        return radius * np.array([np.cos(turn), np.sin(turn)])
    others = habits.reachable_neighbours_deg
    other = others[rng.integers(len(others))]
    return np.clip(other + rng.normal(0, 2.0, 2), -MAX_GAZE_DEG, MAX_GAZE_DEG)


def _head_aim_deg(rng: np.random.Generator, habits: Habits, gaze_deg: Float) -> Float:
    """Return where the head turns for a fixation: part of the way, and never too far off."""
    gain = rng.uniform(*(STILL_GAIN if rng.random() < STILL_SHARE else TURNING_GAIN))
    head = habits.rest_deg + gain * (gaze_deg - habits.rest_deg)
    if habits.looking_share > 0 and rng.random() < ODD_TURN_SHARE:
        sideways = _either_side(rng) * rng.uniform(*ODD_TURN_DEG)
        head = head + np.array([sideways, rng.normal(0.0, 4.0)])
    reach = COMFORTABLE_EYE_TURN_DEG
    head = np.clip(head, gaze_deg - reach, gaze_deg + reach)
    return np.clip(head, -MAX_HEAD_DEG, MAX_HEAD_DEG)


def _with_saccades(gaze: Float, target: Ints, rng: np.random.Generator, habits: Habits) -> Float:
    """Put one frame halfway into each jump, unless it would pass by the camera unasked."""
    closest_deg = habits.looking_angle_deg + NEAR_MISS_DEG[0]
    softened = gaze.copy()
    for frame in np.flatnonzero((np.diff(gaze, axis=0) != 0).any(1)) + 1:
        weight = rng.uniform(0.25, 0.75)
        between = (1 - weight) * gaze[frame - 1] + weight * gaze[frame]
        is_about_camera = Target.CAMERA in target[frame - 1 : frame + 1]
        if is_about_camera or np.hypot(*between) > closest_deg:
            softened[frame] = between
    return softened


def _fixation_drift(rng: np.random.Generator, num_frames: int) -> Float:
    """Return small errors of aim (num_frames, 2) that change every few frames."""
    held = rng.integers(4, 12)
    errors = rng.normal(0, AIM_SPREAD_DEG, (num_frames // held + 1, 2))
    norm = np.hypot(*errors.T)[:, None]
    errors *= np.minimum(1.0, AIM_LIMIT_DEG / np.maximum(norm, 1e-9))
    return np.repeat(errors, held, axis=0)[:num_frames]


def _either_side(rng: np.random.Generator) -> int:
    return int(rng.choice([-1, 1]))
