"""OpenFace 2's csv files: eye landmarks and head pose in this suite's conventions."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from common.arrays import Bools, Float
from common.files.foreign_files import shown
from common.geometry import CAMERA_TO_VIEWER, head_pose_from_rotation
from common.listing import listed

LANDMARK_COLUMNS = [f"eye_lmk_{axis}_{point}" for axis in "xy" for point in range(56)]
POSE_COLUMNS = ["pose_Rx", "pose_Ry", "pose_Rz"]
SEQUENCE_COLUMNS = ["frame", "confidence", "success"]
IMAGE_COLUMNS = ["face", "confidence"]
# A year of video.
_LAST_FRAME = 10**9


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
    is_success: Bools
    landmarks: Float
    head_pose: Float
    problems: dict[int, str]

    def __len__(self) -> int:
        return len(self.frame)


def read_openface_csv(path: Path) -> OpenFaceTable:
    """Read a csv of OpenFace 2: FeatureExtraction, FaceLandmarkVidMulti or FaceLandmarkImg.

    Columns are chosen by their stripped names. A row that cannot be read counts as failed and
    is explained in `OpenFaceTable.problems`.

    Raises:
        ValueError: If columns are missing, as in OpenFace 1's files.
    """
    # A damaged letter costs the row it is in.
    text = path.read_bytes().decode("utf-8-sig", errors="replace")
    lines = [line for line in text.splitlines() if line.strip()]
    names = [name.strip() for name in lines[0].split(",")] if lines else []
    columns = _required_columns(path, names)
    places = {name: names.index(name) for name in columns}
    numbers = np.full((max(len(lines) - 1, 0), len(columns)), np.nan)
    problems = {}
    for row, line in enumerate(lines[1:]):
        fields = line.split(",")
        numbers[row] = [_number(fields, place) for place in places.values()]
        problem = _problem(fields, len(names), places, numbers[row])
        if problem is not None:
            problems[row] = f"{path}: data row {row + 1}: {problem}"
    return _table(path, dict(zip(columns, numbers.T, strict=True)), problems)


def _required_columns(path: Path, names: list[str]) -> list[str]:
    base = SEQUENCE_COLUMNS if "frame" in names else IMAGE_COLUMNS
    required = [*base, *LANDMARK_COLUMNS, *POSE_COLUMNS]
    missing = [name for name in required if name not in names]
    if missing:
        raise ValueError(
            f"{path}: missing columns {listed(missing)}. Expected"
            " a csv of OpenFace 2 with eye landmarks and pose (OpenFace 1 has no eye landmarks)."
            " Type: FeatureExtraction -f VIDEO -2Dfp -pose -gaze (-gaze writes eye landmarks, too)"
        )
    return required


def _number(fields: list[str], place: int) -> float:
    try:
        return float(fields[place])
    except (ValueError, IndexError):
        return np.nan


def _problem(
    fields: list[str], num_columns: int, places: Mapping[str, int], numbers: Float
) -> str | None:
    if len(fields) != num_columns:
        return f"{len(fields)} fields, expected {num_columns}"
    for (name, place), number in zip(places.items(), numbers, strict=True):
        if not np.isfinite(number):
            return f"got {shown(fields[place])} in column {name}, expected a number"
        if name == "frame" and not (0 <= number <= _LAST_FRAME and number.is_integer()):
            return f"got {shown(fields[place])} in column frame, expected the number of a frame"
    return None


def _table(path: Path, columns: Mapping[str, Float], problems: dict[int, str]) -> OpenFaceTable:
    num_rows = len(columns["confidence"])
    is_readable = np.ones(num_rows, bool)
    is_readable[list(problems)] = False

    def values(names: list[str]) -> Float:
        return np.stack([columns[name] for name in names], axis=1)

    def integers(name: str, otherwise: int) -> npt.NDArray[np.int64]:
        column = columns.get(name, np.full(num_rows, float(otherwise)))
        is_one = np.isfinite(column) & (np.abs(column) <= _LAST_FRAME)
        return np.where(is_one, column, 0).astype(np.int64)

    is_success = is_readable & (integers("success", 1) == 1)
    hidden = np.where(is_success, 1.0, np.nan)[:, None]
    return OpenFaceTable(
        path=path,
        # OpenFace counts frames from 1.
        frame=integers("frame", 1) - 1,
        confidence=np.where(is_readable, columns["confidence"], 0.0),
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
