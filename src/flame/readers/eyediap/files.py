"""EYEDIAP's text files: tables of one row a frame, calibrations, gaze states.

Tables have a header line, fields separated by ``;``, the 0-based frame number first. A frame that
was lost has a row of fewer fields, or of zeros. Row counts differ by one between files, so that
rows are joined on the frame number.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from common.arrays import Float
from common.store.skipped import Skipped

# Fields of a complete row, the frame number included.
NUM_FIELDS = {
    "head_pose.txt": 13,
    "eye_tracking.txt": 19,
    "screen_coordinates.txt": 6,
    "ball_tracking.txt": 10,
}
# <person>_<condition>_<target>_<motion>
SESSION_NAME = re.compile(
    r"(?P<person>\d+)_(?P<condition>[AB])_(?P<target>DS|CS|FT)_(?P<motion>[SM])"
)
# A year of video has fewer.
_FRAME = re.compile(r"[0-9]{1,9}")
_SECTIONS = {"resolution": 2, "intrinsics": 3, "R": 3, "T": 3}


@dataclass(frozen=True)
class Calibration:
    """One camera.

    Attributes:
        width: pixels.
        height: pixels.
        camera_matrix: (3, 3) intrinsics in pixels.
        rotation: (3, 3) R of X_camera = R^T (X_world - T).
        translation: (3,) T, the camera's place in the world, metres.
    """

    width: int
    height: int
    camera_matrix: Float
    rotation: Float
    translation: Float


def read_table(path: Path) -> dict[int, Float | None]:
    """Read one of the tables named in `NUM_FIELDS`.

    Returns:
        For each frame the fields after its number, or None where the frame was lost: too few
        fields, or one that is no finite number.
    """
    rows = {}
    for line in _lines(path):
        number, *fields = line.split(";")
        if _FRAME.fullmatch(number.strip()):
            rows[int(number)] = _numbers(fields, NUM_FIELDS[path.name] - 1)
    return rows


def read_gaze_states(path: Path) -> dict[int, str]:
    """Read ``gaze_state.txt``: OK, BK (blink) or NL (not looking at the target) by frame.

    Raises:
        ValueError: If it has none.
    """
    pairs = (line.split() for line in _lines(path))
    states = {int(p[0]): p[1] for p in pairs if len(p) == 2 and _FRAME.fullmatch(p[0])}
    if not states:
        raise ValueError(f"{path} has no line like '15 OK': unpack it again")
    return states


def read_calibration(path: Path) -> Calibration:
    """Read ``*_calibration.txt``.

    Raises:
        ValueError: If the file or one of its sections is missing or malformed.
    """
    if not path.is_file():
        raise ValueError(f"no {path.name}")
    sections = _sections(_lines(path))
    try:
        # Each section is followed by others or by data of its own: only its first rows count.
        width, height = (int(float(row)) for row in sections["resolution"][:2])
        matrix, rotation, translation = (
            np.array([_floats(row) for row in sections[name][: _SECTIONS[name]]])
            for name in ("intrinsics", "R", "T")
        )
        if not all(np.isfinite(each).all() for each in (matrix, rotation, translation)):
            raise ValueError("a number that is not finite")
        return Calibration(
            width, height, matrix.reshape(3, 3), rotation.reshape(3, 3), translation.reshape(3)
        )
    # An infinite width is an OverflowError.
    except (KeyError, ValueError, OverflowError) as error:
        raise ValueError(
            f"{path.name} is malformed ({error}); expected the sections [resolution], "
            "[intrinsics], [R] and [T]"
        ) from error


def skipped(session: str, number: int, reason: str) -> Skipped:
    """Return a frame that could not be used, or an image of another data set's group."""
    return Skipped(sample_id(session, number), person_of(session), session, reason)


def sample_id(session: str, number: int) -> str:
    """Return what a frame of a session is called."""
    return f"{session}_{number:05d}"


def person_of(session: str) -> str:
    """Return whom a session is of; anything else is a person by itself."""
    match = SESSION_NAME.fullmatch(session)
    return match["person"] if match else session


def _lines(path: Path) -> list[str]:
    """Return the lines of a text; a damaged letter costs the line it is in."""
    try:
        text = path.read_bytes().decode("utf-8", errors="replace")
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from error
    return [line.strip() for line in text.splitlines()]


def _numbers(fields: list[str], num_fields: int) -> Float | None:
    try:
        values = np.array([float(field) for field in fields[:num_fields]])
    except ValueError:
        return None
    return values if len(values) == num_fields and np.isfinite(values).all() else None


def _floats(row: str) -> list[Any]:
    return [float(field) for field in row.strip(";").split(";")]


def _sections(lines: list[str]) -> dict[str, list[str]]:
    sections: dict[str, list[str]] = {}
    rows: list[str] = []
    for line in lines:
        if line.startswith("[") and line.endswith("]"):
            rows = sections.setdefault(line[1:-1], [])
        elif line:
            rows.append(line)
    return sections
