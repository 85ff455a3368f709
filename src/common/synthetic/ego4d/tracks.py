"""Face tracks as annotators leave them: jittery boxes, gaps, and one person in several tracks."""

from dataclasses import dataclass

import numpy as np

from common.arrays import Bools, Float, Ints
from common.synthetic.behaviour.motion import smooth_noise
from common.synthetic.ego4d.scene import Actor, Scene

TRACK_STREAM = 14
# A face of which less can be seen gets no box.
LEAST_VISIBLE = 0.6
# How boxes err, in parts of the face's width: slowly, from frame to frame, and per track in size.
SLOW_JITTER, SLOW_TAU_FRAMES, FAST_JITTER, SIZE_BIAS = 0.018, 6.0, 0.006, (0.98, 1.10)
# Gaps in tracks without a reason: how often a frame starts one, and how long they are.
GAPS_PER_FRAME, SHORT_GAP, LONG_GAP, LONG_SHARE = 0.013, (1, 10), (16, 26), 0.12
# The longest gap that readers are meant to bridge.
BRIDGED_GAP = 15
# Where tracks are split: always by chance, more often over gaps.
SPLITS_PER_FRAME, SHORT_GAP_SPLIT, LONG_GAP_SPLIT = 0.003, 0.15, 0.6
# A track in so many holds one box without extent, as real ones sometimes do.
EMPTY_BOX_SHARE = 0.06
SUSPECT_SHARE = 0.08


@dataclass(frozen=True)
class BoxTrack:
    """One track of one person's face.

    Attributes:
        track_id: unique in its clip.
        person_id: whose.
        frames: (n,) ascending; frames may be missing.
        boxes_xyxy_px: (n, 4) as annotated: they may reach beyond the image.
        is_suspect: whether annotators doubted it.
    """

    track_id: str
    person_id: str
    frames: Ints
    boxes_xyxy_px: Float
    is_suspect: bool

    @property
    def unmapped_frames(self) -> list[int]:
        """The frames missing between the first and the last."""
        every = range(int(self.frames[0]), int(self.frames[-1]) + 1)
        return sorted(set(every) - set(self.frames.tolist()))


def annotate_tracks(scene: Scene) -> list[BoxTrack]:
    """Return the tracks of a scene; always the same for one scene."""
    rng = np.random.default_rng([TRACK_STREAM, *scene.clip.entropy])
    pieces = [
        (actor, frames) for actor in scene.actors for frames in _track_frames(rng, actor.visible)
    ]
    numbers = rng.permutation(10 * len(pieces) + 10)[: len(pieces)]
    return [
        _track(rng, actor, frames, f"track_{number}")
        for (actor, frames), number in zip(pieces, numbers, strict=True)
    ]


def _track_frames(rng: np.random.Generator, visible: Float) -> list[Ints]:
    """Return the frames of each of a person's tracks."""
    frames = np.flatnonzero((visible >= LEAST_VISIBLE) & ~_dropped(rng, len(visible)))
    if len(frames) == 0:
        return []
    missing = np.diff(frames) - 1
    chance = np.where(missing == 0, SPLITS_PER_FRAME, SHORT_GAP_SPLIT)
    chance = np.where(missing > BRIDGED_GAP, LONG_GAP_SPLIT, chance)
    return np.split(frames, np.flatnonzero(rng.random(len(missing)) < chance) + 1)


def _dropped(rng: np.random.Generator, num_frames: int) -> Bools:
    """Return in which frames (num_frames,) the tracker loses the face."""
    is_dropped = np.zeros(num_frames, bool)
    for start in np.flatnonzero(rng.random(num_frames) < GAPS_PER_FRAME):
        length = rng.integers(
            *(LONG_GAP if rng.random() < LONG_SHARE else SHORT_GAP), endpoint=True
        )
        is_dropped[start : start + length] = True
    return is_dropped


def _track(rng: np.random.Generator, actor: Actor, frames: Ints, track_id: str) -> BoxTrack:
    every = np.arange(frames[0], frames[-1] + 1)
    boxes = _jittered(rng, actor.performance.boxes_xyxy_px[every])[frames - frames[0]]
    if len(frames) > 2 and rng.random() < EMPTY_BOX_SHARE:
        empty = rng.integers(1, len(frames) - 1)
        boxes[empty, 2] = boxes[empty, 0]
    is_suspect = bool(rng.random() < SUSPECT_SHARE)
    return BoxTrack(track_id, actor.person_id, frames, boxes, is_suspect)


def _jittered(rng: np.random.Generator, boxes_xyxy_px: Float) -> Float:
    """Return boxes (n, 4) of successive frames, a little off in place and size."""
    middle = (boxes_xyxy_px[:, :2] + boxes_xyxy_px[:, 2:]) / 2
    half = (boxes_xyxy_px[:, 2:] - boxes_xyxy_px[:, :2]) / 2 * rng.uniform(*SIZE_BIAS, 2)
    error = smooth_noise(rng, len(middle), SLOW_JITTER, SLOW_TAU_FRAMES, 4)
    error += rng.normal(0, FAST_JITTER, error.shape)
    corners = np.concatenate([middle - half, middle + half], 1)
    jittered: Float = corners + error * (2 * half[:, :1])
    return jittered
