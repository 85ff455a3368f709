"""Faces in GazeHub's form: ``Image/`` and ``Label/*.label``; `gazehub_labels` reads the lines."""

import logging
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from common.faces.normalisation import virtual_camera
from common.listing import listed
from common.media.photo import UnreadablePhotoError, read_photo
from common.store.skipped import Skipped
from flame.readers.gazehub_labels import FORMS, LabelFile, check_angles, read_header
from flame.readers.sample import RawReader, RawSample

LOG = logging.getLogger(__name__)
_ROWS_PER_GROUP = 4000
_PARTS = ("train", "val", "test")


class _Rows(NamedTuple):
    """A stretch of a label file: a group of the store."""

    file: LabelFile
    start: int
    stop: int


class GazeHubReader(RawReader):
    """Reads one data set in GazeHub's form; a group is a label file, or a stretch of a long one.

    Gaze is told in the normalised frame, as are head poses, which have no roll there. Gaze360's
    faces are crops and not warped: its angles count as the camera's, although they are relative
    to the line of sight, and it has no head poses.

    MPIIFaceGaze's published gaze was multiplied by the normalisation's scale S, as GazeHub's own
    script has it; its lines hold S. Data whose gaze was and was not are two conventions.

    Args:
        raw_dir: holds ``Image/`` and ``Label/``.
        dataset: of `FORMS`; None finds it from the label files' headers.
        remove_scale: divide MPIIFaceGaze's gaze by S again.

    Raises:
        ValueError: If the folder is none of GazeHub's, the set cannot be told or is another, yaw
            and pitch are swapped, or there is no scale to remove.
    """

    name = "gazehub"

    def __init__(
        self, raw_dir: str | Path, dataset: str | None = None, remove_scale: bool = False
    ) -> None:
        if dataset not in (None, *FORMS):
            raise ValueError(f"dataset is {dataset!r}, expected one of {', '.join(FORMS)}")
        self.raw_dir = Path(raw_dir)
        self._files = _label_files(self.raw_dir, dataset)
        self.dataset, self._form = self._files[0].dataset, self._files[0].form
        self._removes_scale = remove_scale
        unscaled = (file for file in self._files if "scale" not in file.places)
        if remove_scale and (without := next(unscaled, None)) is not None:
            raise ValueError(
                f"remove_scale=true is for MPIIFaceGaze with a header that names Smat, "
                f"{without.path} is of {self.dataset} and has none: leave it out"
            )
        self.gaze_convention, self.gaze_frame = self.dataset, "camera"
        if self._form.is_normalised:
            is_scaled = self._form.is_scaled and not remove_scale
            self.gaze_convention = "face_centre_to_target" + ("_scaled" if is_scaled else "")
            self.gaze_frame = "normalised"

    @property
    def settings(self) -> dict[str, Any]:
        """Return the data set and what is done to its labels."""
        return {"dataset": self.dataset, "remove_scale": self._removes_scale}

    def groups(self) -> list[str]:
        """Return the label files, long ones in stretches."""
        return sorted(_stretches(self._files))

    def count(self, group: str) -> int:
        """Return how many faces a group has."""
        rows = _stretches(self._files)[group]
        return rows.stop - rows.start

    def read(self, group: str) -> Iterator[RawSample | Skipped]:
        """Yield a group's faces in the order of its lines."""
        rows = _stretches(self._files)[group]
        for row, line in enumerate(rows.file.lines(rows.start, rows.stop), start=rows.start):
            yield self._sample(rows.file, group, row, line)

    def _sample(self, file: LabelFile, group: str, row: int, line: str) -> RawSample | Skipped:
        sample_id, subject = f"{file.stem}_{row:06d}", file.stem
        try:
            face = file.parse(line, removes_scale=self._removes_scale)
            subject = face.subject
            image = read_photo(self.raw_dir / "Image" / face.face).image
        except UnreadablePhotoError as error:
            return Skipped(sample_id, subject, group, f"{face.face}: {error}")
        except ValueError as error:
            place = row + 1 + int(file.has_header)
            return Skipped(sample_id, subject, group, f"{file.path.name}:{place}: {error}")
        height, width = image.shape[:2]
        return RawSample(
            sample_id=sample_id,
            subject=subject,
            group=group,
            index=row,
            image=image,
            gaze=face.gaze,
            head_pose=face.head_pose,
            camera_matrix=virtual_camera(width) if self._form.is_normalised else None,
            face_hint_px=np.array([width / 2, height / 2]),
            part=file.stem if self._form.has_lists and file.stem in _PARTS else None,
        )


@cache
def _label_files(raw_dir: Path, dataset: str | None) -> tuple[LabelFile, ...]:
    """Return the checked label files that tell gaze, all of one data set."""
    folder = raw_dir / "Label"
    paths = sorted(folder.rglob("*.label"))
    if not paths or not (raw_dir / "Image").is_dir():
        raise ValueError(
            f"{raw_dir} is no folder of GazeHub's: expected Image/ and Label/*.label in it"
        )
    found = []
    for path in paths:
        stem = "_".join(path.relative_to(folder).with_suffix("").parts)
        file = read_header(path, stem, dataset)
        if file is None:
            LOG.warning("%s names no gaze, so it is left out", path)
            continue
        dataset = file.dataset
        check_angles(file)
        found.append(file)
    if not found:
        names = listed([path.name for path in paths])
        raise ValueError(
            f"no file in {folder} names a gaze: expected 2DGaze in a header of {names}"
        )
    return tuple(found)


@cache
def _stretches(files: tuple[LabelFile, ...]) -> Mapping[str, _Rows]:
    groups = {}
    for file in files:
        num_rows = file.count()
        for start in range(0, num_rows, _ROWS_PER_GROUP):
            number = start // _ROWS_PER_GROUP
            group = file.stem if num_rows <= _ROWS_PER_GROUP else f"{file.stem}_{number:04d}"
            groups[group] = _Rows(file, start, min(start + _ROWS_PER_GROUP, num_rows))
    return groups
