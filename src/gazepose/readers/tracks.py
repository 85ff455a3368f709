"""Annotated boxes -> tracks without holes, each frame with its label.

Annotators' tracks have gaps, doubles, boxes without area and boxes beyond the image. Two rules say
what becomes of them, `TrackRule`. The published one is what the Ego4D baseline and GazePose do,
quirks included; the repaired one does not invent a face over hundreds of frames.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from common.arrays import Bools, Float, Ints
from gazepose.readers.clip import FaceTrack
from gazepose.readers.track_boxes import Boxes, DroppedBox, RawTrack

Segments = Mapping[str, Sequence[tuple[int, int]]]
RuleName = Literal["repaired", "published"]
_PIECE_MARK = "~"
# Beyond them a number is damage, and what is made up to it would fill the memory: nine hours at
# 30 Hz of a video, eleven minutes of a gap (an Ego4D clip has five), and an hour of ten people.
_MAX_FRAME = 1_000_000
_MAX_GAP = 20_000
MAX_ROWS = 1_000_000


@dataclass(frozen=True)
class Filled:
    """Frames without holes.

    Attributes:
        frames: (N,).
        boxes_xyxy_px: (N, 4) left, top, right, bottom.
        is_interpolated: (N,) the annotations hold no box.
    """

    frames: Ints
    boxes_xyxy_px: npt.NDArray[np.float64]
    is_interpolated: Bools


@dataclass(frozen=True)
class TrackRule:
    """How boxes become tracks.

    ``published``: a negative left or top becomes 0 with width and height kept, so that the box
    shifts; frame 0 is left out, because the baseline's images count from 1; if frames are missing,
    every gap is filled, up to 20,000 missing frames; a doubled frame stays and may hide a gap; the
    track's first box, valid or not, says whose track it is.

    ``repaired``: boxes are clamped to the image; of two boxes in a frame the first counts; gaps of
    at most `max_gap` missing frames are filled and the track is split over longer ones, and
    wherever the person changes.

    Attributes:
        name: which of the two.
        max_gap: missing frames; None fills gaps of up to 20,000. The published rule ignores it.
        min_frame: earlier frames are left out.

    Raises:
        ValueError: If the name is unknown or `max_gap` is negative.
    """

    name: RuleName = "repaired"
    max_gap: int | None = 15
    min_frame: int = 0

    def __post_init__(self) -> None:
        if self.name not in get_args(RuleName):
            raise ValueError(f"track_rule is {self.name!r}, expected one of {get_args(RuleName)}")
        if self.max_gap is not None and self.max_gap < 0:
            raise ValueError(
                f"max_gap is {self.max_gap}, expected 0 or more missing frames, or null for any"
            )

    @property
    def first_frame(self) -> int:
        """Return the earliest frame that is kept."""
        return max(self.min_frame, 1) if self.name == "published" else self.min_frame


def face_tracks(
    raw: RawTrack, looks: Segments, rule: TrackRule, image_size: tuple[int, int] | None = None
) -> tuple[list[FaceTrack], list[DroppedBox]]:
    """Turn annotated boxes into labelled tracks.

    Args:
        raw: the boxes.
        looks: by person, the frames in which that person looks at the camera: pairs (first, last),
            both included, in any order, overlaps allowed.
        rule: how.
        image_size: (width, height) px that the repaired rule clamps to; None leaves it.

    Returns:
        The track in as many pieces as the rule makes (none if no box is usable): the first keeps
        the id, later ones are ``id~2``, ``id~3``. And the boxes left out.
    """
    boxes = Boxes.of(raw)
    dropped: list[DroppedBox] = []
    valid = _without_invalid(boxes, rule, dropped)
    if rule.name == "published":
        # The first box gives its person to all, even where it is left out itself.
        runs = _split(valid, np.diff(valid.frames) > _MAX_GAP)
        owners = [str(boxes.persons[0]) for _ in runs]
        pieces = [_published_fill(run, dropped) for run in runs]
    else:
        inside = valid if image_size is None else valid.cut_to_image(image_size, dropped)
        runs = _runs(inside.first_of_each_frame(dropped), rule.max_gap)
        owners = [str(run.persons[0]) for run in runs]
        pieces = [_filled(run.frames, run.xyxy_px) for run in runs]
    return list(_labelled(raw.track_id, pieces, owners, looks)), dropped


def all_tracks(
    raws: Iterable[RawTrack],
    looks: Segments,
    rule: TrackRule,
    image_size: tuple[int, int] | None = None,
) -> tuple[list[FaceTrack], list[DroppedBox]]:
    """Return what `face_tracks` makes of all tracks of a clip.

    Raises:
        ValueError: If they have more than `MAX_ROWS` frames together.
    """
    tracks: list[FaceTrack] = []
    dropped: list[DroppedBox] = []
    num_rows = 0
    for raw in raws:
        found, left_out = face_tracks(raw, looks, rule, image_size)
        num_rows += sum(map(len, found))
        if num_rows > MAX_ROWS:
            raise ValueError(f"its tracks have more than {MAX_ROWS} frames, gaps filled")
        tracks += found
        dropped += left_out
    return tracks, dropped


def source_track_id(track_id: str) -> str:
    """Return the annotations' id of a track that a rule may have split."""
    return track_id.rpartition(_PIECE_MARK)[0] or track_id


def look_labels(frames: Ints, segments: Sequence[tuple[int, int]]) -> npt.NDArray[np.int8]:
    """Return (N,) 1 where a frame lies in a segment, ends included, else 0."""
    labels = np.zeros(len(frames), dtype=np.int8)
    for first, last in segments:
        labels[(frames >= first) & (frames <= last)] = 1
    return labels


def _without_invalid(boxes: Boxes, rule: TrackRule, dropped: list[DroppedBox]) -> Boxes:
    first = rule.first_frame
    boxes = boxes.without(boxes.frames < first, f"a frame before {first}", dropped)
    is_absurd = boxes.frames > _MAX_FRAME
    boxes = boxes.without(is_absurd, f"a frame after {_MAX_FRAME}", dropped)
    is_finite = np.isfinite(boxes.xyxy_px).all(axis=1)
    boxes = boxes.without(~is_finite, "a box that is not finite", dropped)
    boxes = boxes.without(boxes.have_no_area, "a box without width or height", dropped)
    return boxes.without(boxes.persons == "", "a box of nobody", dropped)


def _published_fill(boxes: Boxes, dropped: list[DroppedBox]) -> Filled:
    """Clamp and fill as the original's ``check()`` does, once invalid boxes are out."""
    shifted, frames = boxes.shifted_into_image(), boxes.frames
    # Doubles count as frames, so that they can hide a gap.
    if frames[-1] - frames[0] + 1 <= len(frames):
        return Filled(frames, shifted.xyxy_px, np.zeros(len(frames), dtype=np.bool_))
    # Interpolation passes through the last of doubles.
    single = shifted.last_of_each_frame(dropped)
    return _filled(single.frames, single.xyxy_px)


def _runs(boxes: Boxes, max_gap: int | None) -> list[Boxes]:
    """Split where too many frames are missing and where the person changes."""
    too_far = _MAX_GAP if max_gap is None else min(max_gap + 1, _MAX_GAP)
    is_other = np.asarray(boxes.persons[1:] != boxes.persons[:-1])
    return _split(boxes, (np.diff(boxes.frames) > too_far) | is_other)


def _split(boxes: Boxes, is_cut: Bools) -> list[Boxes]:
    """Split behind each box that is marked; (N - 1,)."""
    edges = [0, *(np.flatnonzero(is_cut) + 1), len(boxes.frames)]
    return [boxes.where(slice(a, b)) for a, b in pairwise(edges) if a < b]


def _filled(frames: Ints, boxes_xyxy_px: Float) -> Filled:
    every = np.arange(frames[0], frames[-1] + 1)
    columns = [np.interp(every, frames, column) for column in boxes_xyxy_px.T]
    return Filled(every, np.stack(columns, axis=1), ~np.isin(every, frames))


def _labelled(
    track_id: str, pieces: Sequence[Filled], owners: Sequence[str], looks: Segments
) -> Iterator[FaceTrack]:
    for number, (piece, owner) in enumerate(zip(pieces, owners, strict=True), start=1):
        yield FaceTrack(
            track_id=track_id if number == 1 else f"{track_id}{_PIECE_MARK}{number}",
            person_id=owner,
            frames=piece.frames.astype(np.int32),
            boxes_xyxy_px=piece.boxes_xyxy_px,
            is_interpolated=piece.is_interpolated,
            labels=look_labels(piece.frames, looks.get(owner, ())),
        )
