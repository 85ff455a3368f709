"""Gaze360's lists: which faces there are, in which part, and where they look.

Kellnhofer et al., "Gaze360: Physically Unconstrained Gaze Estimation in the Wild", ICCV 2019:
``imgs/<recording>/head/<identity>/<frame>.jpg`` and lists of them with the gaze as a vector,
``train.txt``, ``validation.txt`` and ``test.txt`` of the authors' repository.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath

from common.files.foreign_files import is_name, path_inside, read_lines

_MAX_SHOWN = 80
LISTS = {"train": "train.txt", "val": "validation.txt", "test": "test.txt"}


@dataclass(frozen=True)
class ListedFace:
    """A line of a list.

    Attributes:
        name: path of the image below ``imgs``.
        part: "train", "val" or "test".
        gaze: [yaw, pitch] in radians, viewer frame.
    """

    name: str
    part: str
    gaze: tuple[float, float]

    @property
    def recording(self) -> str:
        """The recording's name: the store's group."""
        return PurePosixPath(self.name).parts[0]

    @property
    def subject(self) -> str:
        """The person in the recording; nobody is followed over recordings."""
        return str(PurePosixPath(self.name).parent)


@cache
def recordings(lists_dir: Path) -> Mapping[str, Sequence[ListedFace]]:
    """Return the faces of all lists that are there by recording, names sorted.

    Raises:
        ValueError: If there is none, or a line is not a path below ``imgs`` and three numbers.
    """
    found = {part: lists_dir / name for part, name in LISTS.items()}
    if not any(path.is_file() for path in found.values()):
        raise ValueError(
            f"no {', '.join(LISTS.values())} in {lists_dir}: they are in the folder code/ of "
            "Gaze360's repository; type data.lists_dir=FOLDER"
        )
    faces: dict[str, list[ListedFace]] = {}
    for part, path in found.items():
        for face in _faces(path, part) if path.is_file() else ():
            faces.setdefault(face.recording, []).append(face)
    return dict(sorted(faces.items()))


def viewer_angles(x: float, y: float, z: float) -> tuple[float, float]:
    """Return [yaw, pitch] in the viewer frame of a vector in Gaze360's eye coordinates.

    These have x to the left as the camera sees it, y up, and z away from the camera; the vector
    may have any length but 0.
    """
    return math.atan2(-x, -z), math.atan2(y, math.hypot(x, z))


def _faces(path: Path, part: str) -> Iterator[ListedFace]:
    for number, line in enumerate(read_lines(path), start=1):
        if line:
            yield _face(line, part, f"{path}:{number}")


def _face(line: str, part: str, where: str) -> ListedFace:
    try:
        name, *numbers = line.split()
        x, y, z = (float(number) for number in numbers)
    except ValueError as error:
        raise ValueError(
            f"{where}: {line[:_MAX_SHOWN]!r}, expected a path and three numbers"
        ) from error
    try:
        recording = path_inside(Path(), name).parts[0]
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from error
    if not is_name(recording):
        raise ValueError(f"{where}: {recording!r} cannot be a recording's name")
    if not 0 < math.hypot(x, y, z) < math.inf:
        raise ValueError(f"{where}: {(x, y, z)} is no direction")
    return ListedFace(name, part, viewer_angles(x, y, z))
