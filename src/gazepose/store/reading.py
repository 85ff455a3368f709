"""``frames.parquet`` -> flat arrays, stretch by stretch, so that little is there twice."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import polars as pl

from common.arrays import Array
from common.files.foreign_tables import named_table_errors
from common.files.sealed import scan_table
from common.store.reading import EmptyStoreError
from gazepose.priors import NUM_POINTS, eye_centred
from gazepose.store.columns import HEAD_POSE_COLUMNS, POINT_COLUMNS, SCHEMA

LamPart = Literal["train", "val", "test"]
PARTS: tuple[LamPart, ...] = get_args(LamPart)
FRAMES_FILE = "frames.parquet"
REMEDY = "run `python preprocess.py data=...` again"

_NAMES = ("group_name", "part", "track_id")
# What stands for a null in a column.
_NULLS = {
    "frame": -1,
    "track_index": -1,
    "label": -1,
    "offset": 0,
    "num_bytes": 0,
    "crc32": 0,
    "sharpness_p": math.nan,
    "is_filtered": False,
}
_TYPES = {**SCHEMA, "sharpness_p": pl.Float64()}
_STRETCH_ROWS = 1 << 16


def read_frames(
    path: Path, *, head_pose: bool, landmarks: bool
) -> tuple[dict[str, Array], pl.DataFrame]:
    """Read a store's table, with head poses and the five points where they are asked for.

    Returns:
        The columns over all N rows by name, with ``head_pose_deg`` (N, 3) and ``landmarks``
        (N, 15); and the tracks in the order of their rows, with ``start``, their first row,
        ``group_name``, ``part`` and ``track_id``.

    Raises:
        EmptyStoreError: If there is no table, or no row in it.
        ValueError: If it is damaged or lacks a column; says what to type.
    """
    if not path.is_file():
        raise EmptyStoreError(f"no {path}: run `python preprocess.py data=...` first")
    columns = [*_NAMES, *_NULLS, *HEAD_POSE_COLUMNS * head_pose, *POINT_COLUMNS * landmarks]
    num_rows = _checked_length(path, columns)
    with named_table_errors(path, REMEDY):
        arrays, tracks = _read(path, num_rows, columns)
    _check_order(path, arrays["frame"], tracks)
    return arrays, tracks


def _checked_length(path: Path, columns: Sequence[str]) -> int:
    frames = scan_table(path, REMEDY)
    found = set(frames.collect_schema().names())
    lacking = [column for column in columns if column not in found]
    if lacking:
        raise ValueError(f"{path} lacks the columns {', '.join(lacking)}; {REMEDY}")
    with named_table_errors(path, REMEDY):
        num_rows = int(frames.select(pl.len()).collect().item())
    if not num_rows:
        raise EmptyStoreError(f"{path} holds no frame; see the store's skipped/ folder")
    return num_rows


def _read(
    path: Path, num_rows: int, columns: Sequence[str]
) -> tuple[dict[str, Array], pl.DataFrame]:
    arrays: dict[str, Array] = {}
    starts: list[pl.DataFrame] = []
    frames = pl.scan_parquet(path, glob=False).select(columns)
    for first in range(0, num_rows, _STRETCH_ROWS):
        stretch = frames.slice(first, _STRETCH_ROWS).collect()
        for name, values in _arrays_of(stretch).items():
            whole = arrays.setdefault(name, np.empty((num_rows, *values.shape[1:]), values.dtype))
            whole[first : first + stretch.height] = values
        starts.append(_starts(stretch.select(*_NAMES).with_row_index("start", offset=first)))
    return arrays, _starts(pl.concat(starts))


def _arrays_of(stretch: pl.DataFrame) -> dict[str, Array]:
    filled = stretch.with_columns(
        pl.col(name).cast(_TYPES[name]).fill_null(null) for name, null in _NULLS.items()
    )
    arrays = {name: filled[name].to_numpy() for name in _NULLS}
    if HEAD_POSE_COLUMNS[0] in stretch.columns:
        arrays["head_pose_deg"] = _together(stretch, HEAD_POSE_COLUMNS)
    if POINT_COLUMNS[0] in stretch.columns:
        points = _together(stretch, POINT_COLUMNS).reshape(-1, NUM_POINTS, 3)
        arrays["landmarks"] = eye_centred(points).astype(np.float32)
    return arrays


def _together(stretch: pl.DataFrame, columns: Sequence[str]) -> Array:
    return stretch.select(pl.col(columns).cast(pl.Float64).fill_null(math.nan)).to_numpy()


def _starts(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the rows that are of another track than the row before."""
    return rows.filter(pl.struct(_NAMES).rle_id().is_first_distinct())


def _check_order(path: Path, frame: Array, tracks: pl.DataFrame) -> None:
    """Refuse a track in two places, frames out of order, and parts that are none."""
    unknown = set(tracks["part"]) - set(PARTS)
    if unknown:
        raise ValueError(f"{path} has the parts {sorted(unknown)}, expected {PARTS}; {REMEDY}")
    again = tracks.filter(~pl.struct("group_name", "track_id").is_first_distinct())
    if again.height:
        raise ValueError(f"{path}: {_called(again, 0)} is in two places; {REMEDY}")
    steps = np.diff(frame)
    starts = tracks["start"].to_numpy()
    steps[starts[1:] - 1] = 0
    backward = np.flatnonzero(steps < 0)
    if len(backward):
        number = int(np.searchsorted(starts, backward[0], side="right")) - 1
        where = _called(tracks, number)
        raise ValueError(f"{path}: {where} is not in the order of its frames; {REMEDY}")


def _called(tracks: pl.DataFrame, number: int) -> str:
    return f"track {tracks['track_id'][number]!r} of {tracks['group_name'][number]!r}"
