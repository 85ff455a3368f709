"""Columbia Gaze as downloaded: folders ``0001`` to ``0056`` of photos whose names are the labels.

A name such as ``0001_2m_-15P_10V_-5H.jpg`` says subject, distance, head turn P, and the target's
vertical and horizontal angle V and H, all in degrees. H and V are measured from the camera's axis:
``0V_0H`` looks into the camera for every P. +H is to the image's right, +V up, +P a head turned to
the image's right. The signs are inferred from other people's code.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

_NAME = re.compile(r"(\d{4})_(\d+)m_(-?\d+)P_(-?\d+)V_(-?\d+)H")
_SUBJECT = re.compile(r"\d{4}")
_SUFFIXES = {".jpg", ".jpeg"}


@dataclass(frozen=True, order=True)
class ColumbiaLabel:
    """What a photo's name says; ordered by P, then V, then H.

    Attributes:
        head_yaw_deg: P, + = turned to the image's right.
        pitch_deg: V, + = up.
        yaw_deg: H, + = to the image's right.
        distance_m: camera distance.
        subject: four digits.
    """

    head_yaw_deg: int
    pitch_deg: int
    yaw_deg: int
    distance_m: int
    subject: str

    @property
    def looks_at_camera(self) -> bool:
        """Whether the target is the camera."""
        return (self.pitch_deg, self.yaw_deg) == (0, 0)


class ColumbiaPhoto(NamedTuple):
    """A photo and what its name says."""

    path: Path
    label: ColumbiaLabel


def parse_name(stem: str) -> ColumbiaLabel | None:
    """Return the label in a photo's name without suffix, None if it does not follow the rule."""
    match = _NAME.fullmatch(stem)
    if match is None:
        return None
    subject, distance, head_yaw, pitch, yaw = match.groups()
    return ColumbiaLabel(int(head_yaw), int(pitch), int(yaw), int(distance), subject)


def subject_dirs(raw_dir: Path) -> dict[str, Path]:
    """Return the folders of the subjects that have photos, by subject, sorted.

    They lie in the folder, or in one inside it, as after unpacking.

    Raises:
        ValueError: If it does not hold Columbia Gaze, or several.
    """
    candidates = [raw_dir, *_visible_dirs(raw_dir)]
    found = [subjects for subjects in map(_with_photos, candidates) if subjects]
    if len(found) == 1:
        return found[0]
    what = "several" if found else "no"
    raise ValueError(
        f"{raw_dir} holds {what} Columbia Gaze folders. Expected photos such as "
        "0001/0001_2m_0P_0V_0H.jpg in it, or in one folder inside it (the unpacked "
        "'Columbia Gaze Data Set'); give that folder as data.raw_dir=..."
    )


def photo_paths(subject_dir: Path) -> list[Path]:
    """Return a subject's photos, whatever they are called, sorted."""
    return sorted(path for path in subject_dir.iterdir() if _is_photo(path))


def photos_by_subject(tree: Path) -> dict[str, list[Path]]:
    """Return the photos in a folder and all below by the subject that their names begin with.

    Both are sorted; a photo whose name begins otherwise is nobody's.

    Raises:
        ValueError: If there is none.
    """
    found: dict[str, list[Path]] = {}
    for path in sorted(tree.rglob("*")):
        subject, _, rest = path.name.partition("_")
        is_hidden = any(_is_hidden(name) for name in path.relative_to(tree).parts)
        if _SUBJECT.fullmatch(subject) and rest and not is_hidden and _is_photo(path):
            found.setdefault(subject, []).append(path)
    if not found:
        raise ValueError(
            f"{tree} holds no photo of Columbia Gaze. Expected names such as "
            "0001_2m_-15P_10V_-5H.jpg in it or below; give that folder as data.raw_dir=..."
        )
    return dict(sorted(found.items()))


def labelled_photos(
    paths: Iterable[Path], subject: str
) -> tuple[list[ColumbiaPhoto], dict[Path, str]]:
    """Return a subject's photos in the order of their labels, and why others have none."""
    photos: dict[ColumbiaLabel, ColumbiaPhoto] = {}
    faults: dict[Path, str] = {}
    for path in paths:
        label = parse_name(path.stem)
        if label is None:
            faults[path] = "name is not <subject>_<d>m_<p>P_<v>V_<h>H.jpg"
        elif label.subject != subject:
            faults[path] = f"name says subject {label.subject}, folder says {subject}"
        elif label in photos:
            faults[path] = f"same label as {photos[label].path.name}"
        else:
            photos[label] = ColumbiaPhoto(path, label)
    return [photos[label] for label in sorted(photos)], faults


def _with_photos(root: Path) -> dict[str, Path]:
    named = [path for path in _visible_dirs(root) if _SUBJECT.fullmatch(path.name)]
    return {path.name: path for path in named if photo_paths(path)}


def _visible_dirs(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.is_dir() and not _is_hidden(path.name))


def _is_photo(path: Path) -> bool:
    return path.suffix.lower() in _SUFFIXES and not _is_hidden(path.name) and path.is_file()


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name == "__MACOSX"
