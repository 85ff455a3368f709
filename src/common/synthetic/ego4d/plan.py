"""Planning an Ego4D-shaped data set: which clips, in which part, with which seeds."""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

import numpy as np

PARTS = ("train", "val", "test")
FPS_HZ = 30.0
# Streams of randomness.
CLIP_STREAM, IDENTITY_STREAM = 11, 12
MAX_PEOPLE = 3
# Clips of one recording that lie in a row share its uid, as Ego4D's five-minute clips do.
CLIPS_PER_VIDEO = 2
# In one clip of so many nobody looks at the camera; Ego4D leaves such lists out, or empty.
ALOOF_PERIOD, ALOOF_INDEX = 14, 5
LEAST_SIDE_PX, LEAST_FRAMES = 160, 8


@dataclass(frozen=True)
class ClipPlan:
    """One clip to film: number `index` of its part.

    It is cut from the recording `video_uid` at `video_start_frame`; its random numbers grow from
    `entropy`. If it is aloof, nobody looks at the camera.
    """

    part: str
    index: int
    clip_uid: str
    video_uid: str
    video_start_frame: int
    entropy: tuple[int, ...]
    is_aloof: bool

    def identity_seed(self, person: int) -> int:
        """Return the seed of a person's identity; nobody appears in two clips."""
        entropy = [IDENTITY_STREAM, *self.entropy, person]
        return int(np.random.SeedSequence(entropy).generate_state(1)[0])


@dataclass(frozen=True)
class Ego4dPlan:
    """All that decides a data set's content; `ego4d.writer.write_ego4d` says what it means."""

    num_train_clips: int
    num_val_clips: int
    num_test_clips: int
    num_frames: int
    image_size: tuple[int, int]
    looking_angle_deg: float
    looking_share: float
    seed: int

    def check(self) -> None:
        """Raise ValueError if the plan cannot be carried out."""
        counts = [self.num_clips(part) for part in PARTS]
        if min(counts) < 0 or sum(counts) == 0:
            raise ValueError(
                f"the numbers of train, val and test clips are {counts}, "
                "expected none negative and at least one positive"
            )
        if self.num_frames < LEAST_FRAMES:
            raise ValueError(f"num_frames is {self.num_frames}, expected at least {LEAST_FRAMES}")
        if min(self.image_size) < LEAST_SIDE_PX or any(side % 2 for side in self.image_size):
            raise ValueError(
                f"image_size is {self.image_size}, expected even sides "
                f"of at least {LEAST_SIDE_PX} pixels"
            )
        if not 3.0 <= self.looking_angle_deg <= 10.0:
            raise ValueError(
                f"looking_angle_deg is {self.looking_angle_deg}, expected 3 to 10: "
                "these people aim within 2.4 degrees, and look past the camera by 13 or more"
            )
        if not 0.0 <= self.looking_share <= 0.5:
            raise ValueError(f"looking_share is {self.looking_share}, expected 0 to 0.5")

    def num_clips(self, part: str) -> int:
        """Return how many clips a part has."""
        return int(getattr(self, f"num_{part}_clips"))

    def clips(self) -> Iterator[ClipPlan]:
        """Yield all clips: train, val, test."""
        for part in PARTS:
            for index in range(self.num_clips(part)):
                yield self._clip(part, index)

    def _clip(self, part: str, index: int) -> ClipPlan:
        part_index, place = PARTS.index(part), index % CLIPS_PER_VIDEO
        return ClipPlan(
            part=part,
            index=index,
            clip_uid=_uid(self.seed, part_index, index),
            video_uid=_uid(self.seed, part_index, index // CLIPS_PER_VIDEO, CLIPS_PER_VIDEO),
            video_start_frame=place * self.num_frames,
            entropy=(self.seed, part_index, index),
            is_aloof=index % ALOOF_PERIOD == ALOOF_INDEX,
        )


def _uid(*entropy: int) -> str:
    state = np.random.SeedSequence([CLIP_STREAM, *entropy]).generate_state(4, np.uint32)
    return str(UUID(bytes=state.astype("<u4").tobytes(), version=4))
