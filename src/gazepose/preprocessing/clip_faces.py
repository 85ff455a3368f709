"""A clip's rows -> their faces; each video in one pass, up to the last frame that has a box.

A photo is opened once for all of its rows.

A video is decoded frame by frame, the store wants track by track. What is cut on the way waits in
a temporary file (in ``TMPDIR``), so memory holds one frame, the rows and the measured values,
however long the clip.
"""

import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

import numpy as np

from common.arrays import Image
from common.media.photo import UnreadablePhotoError, read_photo
from common.media.video import DamagedVideoError, read_frames
from common.store.skipped import Skipped
from gazepose.preprocessing.preparation import PreparedFace, Preparer
from gazepose.readers.sample import Frame, RawFace

OUTSIDE = "the box lies outside the image"
NO_BOX = "the box is not a number"
NO_FILE = "no face image"
# By the number of a frame, its rows with their places among a clip's items; a photo's is None.
_RowsOfFrame = Mapping[int | None, list[tuple[int, RawFace]]]


@dataclass(frozen=True)
class _Kept:
    """A prepared face whose bytes lie in the temporary file."""

    face: PreparedFace  # without its bytes
    offset: int
    num_bytes: int


def clip_faces(
    items: Iterable[RawFace | Skipped], preparer: Preparer, on_face: Callable[[], object]
) -> Iterator[tuple[RawFace, PreparedFace | None] | Skipped]:
    """Yield a clip's rows with their faces, in the reader's order, and what it skipped.

    A row whose image is lost (its box lies outside the frame, the frame or the file is damaged or
    not there) comes all the same, without a face, and the reason before it. `on_face` is called
    once a row, where its image is looked at.

    Raises:
        ValueError: If a video cannot be opened at all.
    """
    items = list(items)
    with tempfile.TemporaryFile() as spool:
        cut = _cut_from_pictures(items, preparer, spool, on_face)
        for place, item in enumerate(items):
            if isinstance(item, Skipped):
                yield item
                continue
            face: PreparedFace | str | None
            if place in cut:
                face = _read_back(cut.pop(place), spool)
            else:
                on_face()
                face = _from_file(item, preparer)
            if isinstance(face, str):
                yield Skipped(item.sample_id, item.track_id, item.clip_uid, face)
            yield item, None if isinstance(face, str) else face


def _cut_from_pictures(
    items: list[RawFace | Skipped],
    preparer: Preparer,
    spool: IO[bytes],
    on_face: Callable[[], object],
) -> dict[int, _Kept | str]:
    """Return the face of every row that lies in a `Frame`, or why there is none, by its place."""
    cut: dict[int, _Kept | str] = {}
    for path, rows in _rows_in_pictures(items).items():
        for place, raw, frame in _frames_of_rows(path, rows):
            on_face()
            face = frame if isinstance(frame, str) else _from_frame(raw, frame, preparer)
            cut[place] = face if isinstance(face, str) else _keep(face, spool)
    return cut


def _rows_in_pictures(items: list[RawFace | Skipped]) -> Mapping[Path, _RowsOfFrame]:
    rows: dict[Path, dict[int | None, list[tuple[int, RawFace]]]] = {}
    for place, item in enumerate(items):
        if isinstance(item, RawFace) and isinstance(item.image, Frame):
            path, number = item.image
            rows.setdefault(path, defaultdict(list))[number].append((place, item))
    return rows


def _frames_of_rows(path: Path, rows: _RowsOfFrame) -> Iterator[tuple[int, RawFace, Image | str]]:
    """Yield each row with the picture that it lies in, or why there is none."""
    in_video = {number: its for number, its in rows.items() if number is not None}
    if in_video:
        yield from _pass_over(path, in_video)
    if None in rows:
        photo = _photo(path)
        yield from ((place, raw, photo) for place, raw in rows[None])


def _photo(path: Path) -> Image | str:
    try:
        return read_photo(path).image
    except UnreadablePhotoError as error:
        return str(error)


def _pass_over(
    path: Path, rows: Mapping[int, list[tuple[int, RawFace]]]
) -> Iterator[tuple[int, RawFace, Image | str]]:
    """Yield each row with its frame, as they come; at the end, why the others have none."""
    left, last = dict(rows), -1
    try:
        for last, frame in read_frames(path, rows):
            yield from ((place, raw, frame) for place, raw in left.pop(last))
        why = f"{path}: frame not there; the last one with a box is {last}"
    except DamagedVideoError as error:
        why = str(error)
    yield from ((place, raw, why) for lost in left.values() for place, raw in lost)


def _keep(face: PreparedFace, spool: IO[bytes]) -> _Kept:
    offset = spool.tell()
    spool.write(face.encoded)
    return _Kept(replace(face, encoded=b""), offset, len(face.encoded))


def _read_back(kept: _Kept | str, spool: IO[bytes]) -> PreparedFace | str:
    if isinstance(kept, str):
        return kept
    spool.seek(kept.offset)
    return replace(kept.face, encoded=spool.read(kept.num_bytes))


def _from_frame(raw: RawFace, frame: Image, preparer: Preparer) -> PreparedFace | str:
    """Return the face in the row's box, or why there is none."""
    face = preparer.from_frame(frame, raw.bbox_xyxy_px)
    if face is None:
        return OUTSIDE if np.isfinite(raw.bbox_xyxy_px).all() else NO_BOX
    return face


def _from_file(raw: RawFace, preparer: Preparer) -> PreparedFace | str | None:
    """Return the face in an image file, or why there is none; None if none is named."""
    if raw.image is None:
        return None
    assert not isinstance(raw.image, Frame)
    try:
        return preparer.from_file(raw.image.read_bytes())
    except FileNotFoundError:
        return NO_FILE
    except (ValueError, OSError) as error:
        return str(error)
