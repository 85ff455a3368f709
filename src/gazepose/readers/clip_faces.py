"""A clip of a video -> its faces, in one pass from the first to the last frame that has a box.

The video is decoded frame by frame, the store wants track by track. What is cut on the way waits
in a temporary file (in ``TMPDIR``), so memory holds one frame and the measured values, however
long the clip.
"""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import IO, NamedTuple

import numpy as np

from common.media.video import DamagedVideoError, read_frames
from common.store.skipped import Skipped
from gazepose.readers.sample import Clip, FacePreparer, PreparedFace, RawFace

OUTSIDE = "the box lies outside the image"
NO_BOX = "the box is not a number"


class _Place(NamedTuple):
    track: int
    position: int


@dataclass(frozen=True)
class _Kept:
    """A prepared face whose bytes lie in the temporary file."""

    face: PreparedFace  # without its bytes
    offset: int
    num_bytes: int


def clip_faces(clip: Clip, preparer: FacePreparer) -> Iterator[RawFace | Skipped]:
    """Yield a clip's rows in track order, after what the reader had skipped.

    A box without an image (outside the frame, or the frame is damaged or not there) yields its
    row all the same, and the reason before it.

    Args:
        clip: of a reader.
        preparer: cuts and measures the faces.

    Raises:
        ValueError: If the video cannot be opened at all.
    """
    yield from clip.skipped
    if not clip.tracks:
        return
    with tempfile.TemporaryFile() as spool:
        kept, missing = _pass_over(clip, preparer, spool)
        for number, track in enumerate(clip.tracks):
            for position in range(len(track)):
                place = _Place(number, position)
                found = kept.pop(place, None)
                if found is None:
                    why = missing.get(place) or missing[None]
                    yield _skipped(clip, place, why)
                yield _row(clip, place, None if found is None else _read_back(found, spool))


def _pass_over(
    clip: Clip, preparer: FacePreparer, spool: IO[bytes]
) -> tuple[dict[_Place, _Kept], dict[_Place | None, str]]:
    """Return the faces that were found, and why the others were not; None: for want of a frame."""
    wanted = _places_by_frame(clip)
    kept: dict[_Place, _Kept] = {}
    missing: dict[_Place | None, str] = {}
    last = -1
    try:
        for last, frame in read_frames(clip.video_path, wanted):
            for place in wanted[last]:
                box = clip.tracks[place.track].boxes_xyxy_px[place.position]
                face = preparer.from_frame(frame, box)
                if face is None:
                    missing[place] = OUTSIDE if np.isfinite(box).all() else NO_BOX
                else:
                    kept[place] = _keep(face, spool)
        missing[None] = f"{clip.video_path}: frame not there; the last one with a box is {last}"
    except DamagedVideoError as error:
        missing[None] = str(error)
    return kept, missing


def _places_by_frame(clip: Clip) -> dict[int, list[_Place]]:
    places = defaultdict(list)
    for number, track in enumerate(clip.tracks):
        for position, frame in enumerate(track.frames.tolist()):
            places[clip.first_video_frame + frame].append(_Place(number, position))
    return dict(places)


def _keep(face: PreparedFace, spool: IO[bytes]) -> _Kept:
    offset = spool.tell()
    spool.write(face.encoded)
    return _Kept(replace(face, encoded=b""), offset, len(face.encoded))


def _read_back(kept: _Kept, spool: IO[bytes]) -> PreparedFace:
    spool.seek(kept.offset)
    return replace(kept.face, encoded=spool.read(kept.num_bytes))


def _row(clip: Clip, place: _Place, face: PreparedFace | None) -> RawFace:
    track = clip.tracks[place.track]
    return RawFace(
        clip_uid=clip.clip_uid,
        track_id=track.track_id,
        person_id=track.person_id,
        part=clip.part,
        frame=int(track.frames[place.position]),
        track_index=place.position,
        label=int(track.labels[place.position]),
        bbox_xyxy_px=track.boxes_xyxy_px[place.position],
        is_interpolated=bool(track.is_interpolated[place.position]),
        unique_id="",
        face=face,
    )


def _skipped(clip: Clip, place: _Place, why: str) -> Skipped:
    track = clip.tracks[place.track]
    sample_id = f"{clip.clip_uid}:{track.track_id}:{track.frames[place.position]}"
    return Skipped(sample_id, track.track_id, clip.clip_uid, why)
