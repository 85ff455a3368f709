"""Annotated boxes on their way to a track: sorted, and what is wrong left out with a reason."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import nan
from sys import float_info
from typing import Any

import numpy as np
import numpy.typing as npt

from common.arrays import Bools, Float, Ints
from common.store.skipped import Skipped

Json = Mapping[str, Any]
BOX_KEYS = ("x", "y", "width", "height")
NO_FRAME = "a box without a frame number"
_DOUBLE = "a second box in a frame"
# Beyond it, not every whole number is a float, and soon none is an int64.
_MAX_WHOLE = 2**53


@dataclass(frozen=True)
class RawTrack:
    """Boxes as annotated, in any order.

    Attributes:
        track_id: unique in the clip.
        person_ids: (N,) whose face each box is; empty where unknown.
        frames: (N,) integers.
        boxes_xywh_px: (N, 4) left, top, width, height; NaN allowed.
    """

    track_id: str
    person_ids: Sequence[str]
    frames: Ints
    boxes_xywh_px: Float

    @classmethod
    def of(
        cls, track_id: str, person_ids: Sequence[str], boxes: Sequence[Json], frame_key: str
    ) -> "RawTrack":
        """Make a track of rows with `BOX_KEYS`.

        A place that is null, or beyond all measure, becomes NaN: the track's rule drops the box.
        """
        places = [[box.get(key) for key in BOX_KEYS] for box in boxes]
        xywh = [
            [nan if v is None or abs(v) > float_info.max else float(v) for v in four]
            for four in places
        ]
        return cls(
            track_id,
            person_ids,
            np.array([frame_number(box[frame_key]) for box in boxes], dtype=np.int64),
            np.array(xywh, dtype=np.float64).reshape(-1, 4),
        )


@dataclass(frozen=True)
class DroppedBox:
    """A box that a rule left out, and why."""

    track_id: str
    frame: int
    reason: str


def skipped_box(clip_uid: str, box: DroppedBox) -> Skipped:
    """Return a box that a rule left out as an entry of the report."""
    name = f"{clip_uid}:{box.track_id}:{box.frame}"
    return Skipped(name, box.track_id, clip_uid, box.reason)


@dataclass(frozen=True)
class Boxes:
    """Boxes of one track, frames ascending.

    `persons` (N,) str says whose face each is, `xyxy_px` (N, 4) is left, top, right, bottom.
    """

    track_id: str
    persons: npt.NDArray[np.object_]
    frames: Ints
    xyxy_px: npt.NDArray[np.float64]

    @classmethod
    def of(cls, raw: RawTrack) -> "Boxes":
        """Sort a track as annotated; boxes of one frame keep their order."""
        order = np.argsort(raw.frames, kind="stable")
        xywh = np.asarray(raw.boxes_xywh_px, dtype=np.float64).reshape(-1, 4)
        xyxy = np.concatenate([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]], axis=1)
        persons = np.array(raw.person_ids, dtype=np.object_)
        return cls(raw.track_id, persons[order], np.asarray(raw.frames)[order], xyxy[order])

    def where(self, keep: Bools | slice) -> "Boxes":
        """Return some of the boxes."""
        return Boxes(self.track_id, self.persons[keep], self.frames[keep], self.xyxy_px[keep])

    def without(self, is_faulty: Bools, reason: str, dropped: list[DroppedBox]) -> "Boxes":
        """Leave out boxes that are marked, and list them in `dropped`."""
        dropped += [DroppedBox(self.track_id, int(f), reason) for f in self.frames[is_faulty]]
        return self.where(~is_faulty)

    def shifted_into_image(self) -> "Boxes":
        """Move boxes that begin left of or above the image, sizes kept."""
        shift = np.maximum(-self.xyxy_px[:, :2], 0)
        return replace(self, xyxy_px=self.xyxy_px + np.concatenate([shift, shift], axis=1))

    def cut_to_image(self, image_size: tuple[int, int], dropped: list[DroppedBox]) -> "Boxes":
        """Clamp to an image (width, height) px, and leave out what lies beyond it."""
        limit = np.array([*image_size, *image_size], dtype=np.float64)
        cut = replace(self, xyxy_px=np.clip(self.xyxy_px, 0, limit))
        return cut.without(cut.have_no_area, "a box outside the image", dropped)

    def first_of_each_frame(self, dropped: list[DroppedBox]) -> "Boxes":
        """Leave out all but the first box of a frame."""
        is_double = np.diff(self.frames, prepend=self.frames[:1] - 1) == 0
        return self.without(is_double, _DOUBLE, dropped)

    def last_of_each_frame(self, dropped: list[DroppedBox]) -> "Boxes":
        """Leave out all but the last box of a frame."""
        is_double = np.diff(self.frames, append=self.frames[-1:] + 1) == 0
        return self.without(is_double, _DOUBLE, dropped)

    @property
    def have_no_area(self) -> Bools:
        """Return (N,) whether a box is empty."""
        return (self.xyxy_px[:, 2:] <= self.xyxy_px[:, :2]).any(axis=1)


def frame_number(value: Any) -> int | None:
    """Return a frame number as annotated; None if it is no whole number or beyond all measure."""
    is_number = isinstance(value, int | float) and abs(value) <= _MAX_WHOLE
    return int(value) if is_number and value == value // 1 else None
