"""``frames.parquet`` -> flat arrays, stretch by stretch, so that little is there twice."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
import polars as pl

from common.arrays import Array, Bools
from common.files.foreign_tables import named_table_errors
from common.files.sealed import scan_table
from common.store.reading import EmptyStoreError
from gazepose.priors import NUM_POINTS, eye_centred
from gazepose.store.columns import HEAD_POSE_COLUMNS, POINT_COLUMNS

LamPart = Literal["train", "val", "test"]
PARTS: tuple[LamPart, ...] = get_args(LamPart)
FRAMES_FILE = "frames.parquet"
REMEDY = "run `python preprocess.py data=...` again"


_NAMES = ("group_name", "part", "track_id")
# Type of a column, and what stands for a null.
_NUMBERS: dict[str, tuple[npt.DTypeLike, Any]] = {
    "frame": (np.int32, -1),
    "track_index": (np.int32, -1),
    "label": (np.int8, -1),
    "offset": (np.int64, 0),
    "num_bytes": (np.int32, 0),
    "crc32": (np.uint32, 0),
    "sharpness_p": (np.float64, np.nan),
    "is_filtered": (np.bool_, False),
}
_STRETCH_ROWS = 1 << 16


@dataclass
class Tracks:
    """Where each track begins and what it is called.

    Attributes:
        starts: first row of each track.
        groups: name of its pack.
        parts: train, val or test.
        track_ids: its id.
    """

    starts: list[int] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    parts: list[str] = field(default_factory=list)
    track_ids: list[str] = field(default_factory=list)
    _last: tuple[str, ...] | None = None

    def add(self, names: pl.DataFrame, first_row: int) -> None:
        """Take the group, part and track names of the rows from `first_row` on."""
        begins = np.flatnonzero([names.row(0) != self._last, *_changes(names)])
        for start, (group, part, track) in zip(begins, names[begins].iter_rows(), strict=True):
            self.starts.append(first_row + int(start))
            self.groups.append(group)
            self.parts.append(part)
            self.track_ids.append(track)
        self._last = names.row(-1)


@dataclass(frozen=True)
class Frames:
    """What `read_frames` gives.

    Attributes:
        numbers: the per-row columns by name, all of one length N.
        tracks: the tracks, in the order of their rows.
        head_pose_deg: (N, 3) float64 or None.
        landmarks: (N, 15) float32 of `gazepose.priors.eye_centred`, or None.
    """

    numbers: dict[str, Array]
    tracks: Tracks
    head_pose_deg: Array | None
    landmarks: Array | None


def read_frames(path: Path, head_pose: bool, landmarks: bool) -> Frames:
    """Read a store's table.

    Args:
        path: the file.
        head_pose: whether to read head poses.
        landmarks: whether to read the five points.

    Raises:
        EmptyStoreError: If there is no table, or no row in it.
        ValueError: If it is damaged or lacks a column; says what to type.
    """
    if not path.is_file():
        raise EmptyStoreError(f"no {path}: run `python preprocess.py data=...` first")
    with named_table_errors(path, REMEDY):
        frames = _read(path, HEAD_POSE_COLUMNS * head_pose, POINT_COLUMNS * landmarks)
    _check_order(path, frames)
    return frames


def _read(path: Path, head_pose: tuple[str, ...], points: tuple[str, ...]) -> Frames:
    columns = [*_NAMES, *_NUMBERS, *head_pose, *points]
    num_rows = _checked_length(path, columns)
    numbers = {name: np.empty(num_rows, dtype) for name, (dtype, _) in _NUMBERS.items()}
    poses = np.empty((num_rows, len(head_pose)), np.float64)
    landmarks = np.empty((num_rows, len(points)), np.float32)
    tracks = Tracks()
    for first, stretch in _stretches(path, num_rows, columns):
        here = slice(first, first + stretch.height)
        tracks.add(stretch.select(_NAMES), first)
        for name, (_, null) in _NUMBERS.items():
            numbers[name][here] = _filled(stretch[name], null)
        if head_pose:
            poses[here] = _together(stretch, head_pose)
        if points:
            landmarks[here] = eye_centred(_together(stretch, points).reshape(-1, NUM_POINTS, 3))
    return Frames(numbers, tracks, poses if head_pose else None, landmarks if points else None)


def _checked_length(path: Path, columns: Sequence[str]) -> int:
    frames = scan_table(path, REMEDY)
    found = set(frames.collect_schema().names())
    lacking = [column for column in columns if column not in found]
    if lacking:
        raise ValueError(f"{path} lacks the columns {', '.join(lacking)}; {REMEDY}")
    num_rows = int(frames.select(pl.len()).collect().item())
    if not num_rows:
        raise EmptyStoreError(f"{path} holds no frame; see the store's skipped/ folder")
    return num_rows


def _stretches(
    path: Path, num_rows: int, columns: Sequence[str]
) -> Iterator[tuple[int, pl.DataFrame]]:
    frames = pl.scan_parquet(path).select(columns)
    for first in range(0, num_rows, _STRETCH_ROWS):
        yield first, frames.slice(first, _STRETCH_ROWS).collect()


def _together(stretch: pl.DataFrame, columns: Sequence[str]) -> Array:
    return np.column_stack([_filled(stretch[column], np.nan) for column in columns])


def _filled(column: pl.Series, null: Any) -> Array:
    # A column that no group has a value of has no type of its own.
    if column.dtype == pl.Null:
        return np.full(len(column), null)
    return column.fill_null(null).to_numpy()


def _changes(names: pl.DataFrame) -> Bools:
    """Return for all rows but the first whether they begin another track."""
    changed = np.zeros(names.height - 1, np.bool_)
    for column in names:
        changed |= (column[1:] != column[:-1]).to_numpy()
    return changed


def _check_order(path: Path, frames: Frames) -> None:
    """Refuse a track in two places, frames out of order, and parts that are none."""
    tracks = frames.tracks
    unknown = set(tracks.parts) - set(PARTS)
    if unknown:
        raise ValueError(f"{path} has the parts {sorted(unknown)}, expected {PARTS}; {REMEDY}")
    seen: set[tuple[str, str]] = set()
    for group, track in zip(tracks.groups, tracks.track_ids, strict=True):
        if (group, track) in seen:
            raise ValueError(f"{path}: track {track!r} of {group!r} is in two places; {REMEDY}")
        seen.add((group, track))
    steps = np.diff(frames.numbers["frame"])
    steps[np.array(tracks.starts[1:], np.int64) - 1] = 0
    backward = np.flatnonzero(steps < 0)
    if len(backward):
        number = np.searchsorted(tracks.starts, backward[0], side="right") - 1
        where = f"track {tracks.track_ids[number]!r} of {tracks.groups[number]!r}"
        raise ValueError(f"{path}: {where} is not in the order of its frames; {REMEDY}")
