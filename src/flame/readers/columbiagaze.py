"""Columbia Gaze as downloaded: folders ``0001`` to ``0056`` of photos whose names are the labels.

A name such as ``0001_2m_-15P_10V_-5H.jpg`` says subject, distance, head turn P, and the target's
vertical and horizontal angle V and H, all in degrees. H and V are measured from the camera's axis
(``0V_0H`` looks into the camera for every P), so they are gaze angles as they stand; +H is to the
image's right, +V up, +P a head turned to the image's right. The signs are inferred from other
people's code; `flame.preprocessing.label_check` tests them on the photos themselves.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from common.media.photo import UnreadablePhotoError, read_photo
from common.store.skipped import Skipped
from flame.readers.sample import RawReader, RawSample

_NAME = re.compile(r"(\d{4})_(\d+)m_(-?\d+)P_(-?\d+)V_(-?\d+)H")
_SUBJECT = re.compile(r"\d{4}")
_SUFFIXES = {".jpg", ".jpeg"}
# Canon's APS-C sensors are 22.3 mm wide.
_SENSOR_WIDTH_MM = 22.3


@dataclass(frozen=True, order=True)
class ColumbiaLabel:
    """What a photo's name says; ordered as the reader orders photos: by P, then V, then H.

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


@dataclass(frozen=True)
class _Photo:
    path: Path
    label: ColumbiaLabel


def parse_name(stem: str) -> ColumbiaLabel | None:
    """Return the label in a photo's name without suffix, None if it does not follow the rule."""
    match = _NAME.fullmatch(stem)
    if match is None:
        return None
    subject, distance, head_yaw, pitch, yaw = match.groups()
    return ColumbiaLabel(int(head_yaw), int(pitch), int(yaw), int(distance), subject)


class ColumbiaGazeReader(RawReader):
    """Reads Columbia Gaze, one subject after the other.

    A subject's photos are numbered (`RawSample.index`) by P, then V, then H, each from low to
    high; a damaged photo keeps its number, so that it never changes another photo's parity eye.
    gaze = [H, V], head_pose = [0, P, 0]. Camera intrinsics come from EXIF where a photo has it.
    """

    name = "columbiagaze"
    gaze_convention = "columbia_target_angles"

    def __init__(self, raw_dir: Path) -> None:
        """Remember the folder, nothing is read yet.

        Args:
            raw_dir: the folder of the subject folders, or the folder it was unpacked into.
        """
        self.raw_dir = Path(raw_dir)

    def groups(self) -> list[str]:
        """Return the subjects that have photos, sorted.

        Raises:
            ValueError: If the folder does not hold Columbia Gaze.
        """
        root = self._root()
        return sorted(path.name for path in _subject_dirs(root) if _photo_paths(path))

    def count(self, group: str) -> int:
        """Return how many photos a subject has, those that `read` skips included."""
        return len(_photo_paths(self._root() / group))

    def read(self, group: str) -> Iterator[RawSample | Skipped]:
        """Yield a subject's photos in order, then those whose names are no labels as skipped."""
        photos, skipped = _sort_photos(self._root() / group)
        for index, photo in enumerate(photos):
            yield _read_photo(photo, index)
        yield from skipped

    def _root(self) -> Path:
        candidates = [self.raw_dir, *_visible_dirs(self.raw_dir)]
        found = [path for path in candidates if any(map(_photo_paths, _subject_dirs(path)))]
        if len(found) == 1:
            return found[0]
        what = "several" if found else "no"
        raise ValueError(
            f"{self.raw_dir} holds {what} Columbia Gaze folders. Expected photos such as "
            "0001/0001_2m_0P_0V_0H.jpg in it, or in one folder inside it (the unpacked "
            "'Columbia Gaze Data Set'); give that folder as data.raw_dir=..."
        )


def _visible_dirs(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(
        path
        for path in folder.iterdir()
        if path.is_dir() and not path.name.startswith(".") and path.name != "__MACOSX"
    )


def _subject_dirs(root: Path) -> list[Path]:
    return [path for path in _visible_dirs(root) if _SUBJECT.fullmatch(path.name)]


def _photo_paths(subject_dir: Path) -> list[Path]:
    return sorted(
        path
        for path in subject_dir.iterdir()
        if path.suffix.lower() in _SUFFIXES and not path.name.startswith(".") and path.is_file()
    )


def _sort_photos(subject_dir: Path) -> tuple[list[_Photo], list[Skipped]]:
    photos: dict[ColumbiaLabel, _Photo] = {}
    skipped = []
    for path in _photo_paths(subject_dir):
        label = parse_name(path.stem)
        reason = _name_fault(label, subject_dir.name)
        if label in photos:
            reason = f"same label as {photos[label].path.name}"
        if reason is not None or label is None:
            skipped.append(
                Skipped(path.name, subject_dir.name, subject_dir.name, reason or "no label")
            )
        else:
            photos[label] = _Photo(path, label)
    return [photos[label] for label in sorted(photos)], skipped


def _name_fault(label: ColumbiaLabel | None, subject: str) -> str | None:
    if label is None:
        return "name is not <subject>_<d>m_<p>P_<v>V_<h>H.jpg"
    if label.subject != subject:
        return f"name says subject {label.subject}, folder says {subject}"
    return None


def _read_photo(photo: _Photo, index: int) -> RawSample | Skipped:
    label = photo.label
    try:
        image, camera_matrix = read_photo(photo.path, _SENSOR_WIDTH_MM)
    except UnreadablePhotoError as error:
        return Skipped(photo.path.stem, label.subject, label.subject, str(error))
    return RawSample(
        sample_id=photo.path.stem,
        subject=label.subject,
        group=label.subject,
        index=index,
        image=image,
        gaze=np.deg2rad([label.yaw_deg, label.pitch_deg]),
        head_pose=np.deg2rad([0.0, label.head_yaw_deg, 0.0]),
        camera_matrix=camera_matrix,
    )
