"""OpenFace 2's csv files: eye landmarks and head pose in this suite's conventions."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from common.geometry import CAMERA_TO_VIEWER, head_pose_from_rotation

Float = npt.NDArray[np.floating[Any]]

LANDMARK_COLUMNS = [f"eye_lmk_{axis}_{point}" for axis in "xy" for point in range(56)]
POSE_COLUMNS = ["pose_Rx", "pose_Ry", "pose_Rz"]
SEQUENCE_COLUMNS = ["frame", "confidence", "success"]
IMAGE_COLUMNS = ["face", "confidence"]
MAX_LISTED_COLUMNS = 4


@dataclass(frozen=True)
class OpenFaceTable:
    """The rows of one csv, in file order; values of failed rows are NaN.

    Attributes:
        path: of the csv.
        frame: (N,) 0-based video frame, -1 where its number cannot be read; 0 in a single image's
            csv.
        confidence: (N,) in [0, 1].
        is_success: (N,) whether OpenFace tracked the face and the row could be read.
        landmarks: (N, 112) eye landmarks x_0..x_55, y_0..y_55 in pixels, with OpenFace's own
            origin: no half-pixel shift is documented, none is made.
        head_pose: (N, 3) [pitch, yaw, roll] in radians, viewer frame.
        problems: row number (0-based) to message, for rows that could not be read.
    """

    path: Path
    frame: npt.NDArray[np.int64]
    confidence: Float
    is_success: npt.NDArray[np.bool_]
    landmarks: Float
    head_pose: Float
    problems: dict[int, str]

    def __len__(self) -> int:
        return len(self.frame)


def read_openface_csv(path: Path) -> OpenFaceTable:
    """Read a csv of OpenFace 2: FeatureExtraction, FaceLandmarkVidMulti or FaceLandmarkImg.

    Columns are chosen by their stripped names. A row that cannot be read counts as failed and
    is explained in `OpenFaceTable.problems`.

    Args:
        path: of the csv.

    Raises:
        ValueError: If columns are missing, as in OpenFace 1's files.
    """
    lines = [line for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    names = [name.strip() for name in lines[0].split(",")] if lines else []
    columns = _required_columns(path, names)
    text = _read_columns(lines, names, columns)
    numbers = text.select(pl.all().str.strip_chars().cast(pl.Float64, strict=False))
    problems = _problems(path, lines, len(names), text, numbers)
    return _table(path, numbers, problems)


def _required_columns(path: Path, names: list[str]) -> list[str]:
    base = SEQUENCE_COLUMNS if "frame" in names else IMAGE_COLUMNS
    required = [*base, *LANDMARK_COLUMNS, *POSE_COLUMNS]
    missing = [name for name in required if name not in names]
    if missing:
        listed = ", ".join(missing[:MAX_LISTED_COLUMNS])
        more = len(missing) - MAX_LISTED_COLUMNS
        raise ValueError(
            f"{path}: missing columns {listed}{f' and {more} more' if more > 0 else ''}. Expected"
            " a csv of OpenFace 2 with eye landmarks and pose (OpenFace 1 has no eye landmarks)."
            " Type: FeatureExtraction -f VIDEO -2Dfp -pose -gaze (-gaze writes eye landmarks, too)"
        )
    return required


def _read_columns(lines: list[str], names: list[str], columns: list[str]) -> pl.DataFrame:
    """Return the wanted columns as text; short rows end in nulls, long ones are cut."""
    body = "\n".join([",".join(names), *lines[1:]]).encode()
    return pl.read_csv(
        io.BytesIO(body), columns=columns, infer_schema=False, truncate_ragged_lines=True
    )


def _problems(
    path: Path, lines: list[str], num_columns: int, text: pl.DataFrame, numbers: pl.DataFrame
) -> dict[int, str]:
    problems = {}
    is_bad = ~np.isfinite(numbers.fill_null(np.nan).to_numpy()).all(axis=1)
    for row, line in enumerate(lines[1:]):
        num_fields = line.count(",") + 1
        if num_fields != num_columns:
            problem = f"{num_fields} fields, expected {num_columns}"
        elif is_bad[row]:
            values = numbers.row(row)
            column = next(i for i, v in enumerate(values) if v is None or not np.isfinite(v))
            got, name = text.row(row)[column], text.columns[column]
            problem = f"got {got!r} in column {name}, expected a number"
        else:
            continue
        problems[row] = f"{path}: data row {row + 1}: {problem}"
    return problems


def _table(path: Path, numbers: pl.DataFrame, problems: dict[int, str]) -> OpenFaceTable:
    is_readable = np.ones(len(numbers), bool)
    is_readable[list(problems)] = False

    def values(names: list[str]) -> Float:
        return numbers.select(names).fill_null(np.nan).to_numpy()

    def integers(name: str, otherwise: int) -> npt.NDArray[np.int64]:
        if name not in numbers.columns:
            return np.full(len(numbers), otherwise, np.int64)
        column = values([name])[:, 0]
        return np.where(np.isfinite(column), column, 0).astype(np.int64)

    is_success = is_readable & (integers("success", 1) == 1)
    hidden = np.where(is_success, 1.0, np.nan)[:, None]
    return OpenFaceTable(
        path=path,
        # OpenFace counts frames from 1.
        frame=integers("frame", 1) - 1,
        confidence=np.where(is_readable, values(["confidence"])[:, 0], 0.0),
        is_success=is_success,
        landmarks=values(LANDMARK_COLUMNS) * hidden,
        head_pose=head_pose_from_openface(values(POSE_COLUMNS)) * hidden,
        problems=problems,
    )


def head_pose_from_openface(pose_rad: Float) -> Float:
    """Return the head pose of OpenFace's angles.

    OpenFace's head frame is the camera's (x right, y down, z away) for a head that faces the
    camera, and R = Rx Ry Rz in it.

    Args:
        pose_rad: (..., 3) pose_Rx, pose_Ry, pose_Rz in radians.

    Returns:
        (..., 3) [pitch, yaw, roll] in radians, viewer frame.
    """
    (cx, cy, cz), (sx, sy, sz) = (
        np.moveaxis(function(np.asarray(pose_rad, np.float64)), -1, 0)
        for function in (np.cos, np.sin)
    )
    rows = [
        [cy * cz, -cy * sz, sy],
        [cx * sz + sx * sy * cz, cx * cz - sx * sy * sz, -sx * cy],
        [sx * sz - cx * sy * cz, sx * cz + cx * sy * sz, cx * cy],
    ]
    rotation = np.stack([np.stack(row, -1) for row in rows], -2)
    return head_pose_from_rotation(CAMERA_TO_VIEWER @ rotation @ CAMERA_TO_VIEWER)
