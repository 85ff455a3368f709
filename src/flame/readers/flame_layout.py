"""The folder layout of FLAME's README: face images as .npy, labels as one pickle a subject.

``images/<s>/<k>.npy`` with k from 1, ``facial_landmarks_2d/<s>.pkl`` (N, 112) px,
``head_pose/<s>.pkl`` (N, 3) rad, ``gaze_angles/<s>.pkl`` (N, 2) rad (README calls the folder
``gaze_target``), and ``heatmaps/``, which nothing here needs. `flame.preprocessing.layout_export`
writes it.
"""

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple, get_args

import numpy as np

from common.arrays import Array, Float, Image
from common.files.checksums import files_digest, plain_digest
from common.geometry import LARGEST_RAD, GazeFrame
from common.media.pixels import MAX_PIXELS
from common.store.skipped import Skipped
from flame.readers.eyediap.files import person_of, sample_id, skipped
from flame.readers.numeric_pickle import read_numeric_pickle
from flame.readers.sample import RawReader, RawSample

# ``flame_layout`` stands for not known.
GAZE_CONVENTIONS = (
    *("flame_layout", "columbia_target_angles"),
    *("eyediap_published", "eyediap_geometric"),
    *("face_centre_to_target", "face_centre_to_target_scaled", "gaze360"),
)
# Of an image; a longer one is none.
_NUMBER = re.compile(r"[0-9]{1,9}")
# Numbers a row.
_WIDTHS = {"gaze_angles": 2, "gaze_target": 2, "head_pose": 3, "facial_landmarks_2d": 112}
_ANGLES = {"gaze_angles", "gaze_target", "head_pose"}
_NPY_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


class _Labels(NamedTuple):
    """Of a subject, a row an image."""

    gaze: Float
    head_pose: Float
    landmarks: Float


class FlameLayoutReader(RawReader):
    """Reads a data set in FLAME's layout; image k belongs to row k - 1 of the pickles.

    Images and labels are paired by subject name and image number, so that stray files shift
    nothing. Angles are taken as they stand; which data set's convention they follow, the layout
    does not say, but its owner may. Images are taken as RGB. A subject named like an EYEDIAP
    session counts as that session's person.

    Args:
        raw_dir: folder that holds ``images/`` and the others. If both ``gaze_angles/`` and
            ``gaze_target/`` are there, ``gaze_angles/`` counts, which FLAME's code reads.
        gaze_convention: one of `GAZE_CONVENTIONS`, what the gaze angles mean.
        gaze_frame: ``camera`` or ``normalised``, of gaze angles and head poses.

    Raises:
        ValueError: If convention or frame is none of these.
    """

    name = "flame_layout"

    def __init__(
        self,
        raw_dir: Path,
        gaze_convention: str = "flame_layout",
        gaze_frame: GazeFrame = "camera",
    ) -> None:
        if gaze_convention not in GAZE_CONVENTIONS:
            raise ValueError(
                f"gaze_convention is {gaze_convention!r}, expected one of {GAZE_CONVENTIONS}"
            )
        if gaze_frame not in get_args(GazeFrame):
            raise ValueError(f"gaze_frame is {gaze_frame!r}, expected one of {get_args(GazeFrame)}")
        self.raw_dir = Path(raw_dir)
        self.gaze_convention = gaze_convention
        self.gaze_frame = gaze_frame

    def groups(self) -> list[str]:
        """Return all subjects that have images or gaze labels, sorted.

        Raises:
            ValueError: If the folder does not have FLAME's layout.
        """
        folders = ["images", "facial_landmarks_2d", "head_pose", self._gaze_folder()]
        missing = [name for name in folders if not (self.raw_dir / name).is_dir()]
        if missing:
            raise ValueError(
                f"{self.raw_dir} lacks {', '.join(missing)}; FLAME's layout has images/, "
                "facial_landmarks_2d/, head_pose/ and gaze_angles/ (or gaze_target/)"
            )
        images, gaze = self.raw_dir / "images", self.raw_dir / self._gaze_folder()
        subjects = {path.name for path in _visible(images) if path.is_dir()}
        subjects |= {path.stem for path in _visible(gaze) if path.suffix == ".pkl"}
        if not subjects:
            raise ValueError(f"{self.raw_dir} has FLAME's folders, but no subject in them")
        return sorted(subjects)

    def count(self, group: str) -> int:
        """Return how many images or label rows a subject has, whichever is more."""
        try:
            num_rows = len(self._labels(group).gaze)
        except ValueError:
            num_rows = 0
        return len(self._numbers(group) | set(range(1, num_rows + 1)))

    def fingerprint(self, group: str) -> str | None:
        """Return a digest of the images' numbers and sizes and of the pickles; None without any."""
        folder = self.raw_dir / "images" / group
        images = {n: (folder / f"{n}.npy").stat().st_size for n in sorted(self._numbers(group))}
        there = [path for path in self._pickles(group) if path.is_file()]
        if not images and not there:
            return None
        return plain_digest([images, [p.parent.name for p in there], files_digest(there)])

    def read(self, group: str) -> Iterator[RawSample | Skipped]:
        """Yield a subject's images in order of their numbers."""
        numbers = self._numbers(group)
        try:
            labels = self._labels(group)
            if 0 in numbers:
                raise ValueError("images are numbered from 0, FLAME's from 1: rename them")
        except ValueError as error:
            yield from (skipped(group, number, str(error)) for number in sorted(numbers))
            return
        for number in sorted(numbers | set(range(1, len(labels.gaze) + 1))):
            yield self._read_one(group, number, labels)

    def _read_one(self, group: str, number: int, labels: _Labels) -> RawSample | Skipped:
        row = number - 1
        if row >= len(labels.gaze):
            return skipped(group, number, "no labels: the pickles have fewer rows")
        gaze, head_pose, landmarks = (values[row] for values in labels)
        if not all(np.isfinite(values).all() for values in (gaze, head_pose, landmarks)):
            return skipped(group, number, "labels are not finite")
        try:
            image = _read_image(self.raw_dir / "images" / group / f"{number}.npy")
        except ValueError as error:
            return skipped(group, number, str(error))
        return RawSample(
            sample_id=sample_id(group, number),
            subject=person_of(group),
            group=group,
            index=row,
            image=image,
            gaze=gaze,
            head_pose=head_pose,
            landmarks=landmarks,
        )

    def _numbers(self, group: str) -> set[int]:
        folder = self.raw_dir / "images" / group
        paths = _visible(folder) if folder.is_dir() else []
        return {int(p.stem) for p in paths if p.suffix == ".npy" and _NUMBER.fullmatch(p.stem)}

    def _labels(self, group: str) -> _Labels:
        rows = {path.parent.name: _read_rows(path) for path in self._pickles(group)}
        counts = {name: len(values) for name, values in rows.items()}
        if len(set(counts.values())) > 1:
            listed = ", ".join(f"{name} {count}" for name, count in counts.items())
            raise ValueError(f"the pickles' row counts differ, so rows cannot be paired: {listed}")
        return _Labels(*rows.values())

    def _pickles(self, group: str) -> list[Path]:
        folders = (self._gaze_folder(), "head_pose", "facial_landmarks_2d")
        return [self.raw_dir / name / f"{group}.pkl" for name in folders]

    def _gaze_folder(self) -> str:
        names = ("gaze_angles", "gaze_target")
        return next((name for name in names if (self.raw_dir / name).is_dir()), names[0])


def _visible(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if not path.name.startswith(".")]


def _read_rows(path: Path) -> Float:
    """Read (N, width) numbers; the message names the file by folder and subject."""
    label = f"{path.parent.name}/{path.name}"
    if not path.is_file():
        raise ValueError(f"no {label}")
    width = _WIDTHS[path.parent.name]
    content = read_numeric_pickle(path)
    try:
        rows = np.asarray(content, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{label} is no table of numbers: {error}") from error
    if rows.ndim != 2 or rows.shape[1] != width:
        raise ValueError(f"{label} has shape {rows.shape}, expected (N, {width})")
    if path.parent.name in _ANGLES and (np.abs(rows[np.isfinite(rows)]) > LARGEST_RAD).any():
        raise ValueError(f"{label} has numbers beyond pi: angles are in radians, not degrees")
    return rows


def _read_image(path: Path) -> Image:
    """Read an image as uint8; ValueError with the reason where that would change it."""
    if not path.is_file():
        raise ValueError("no image")
    try:
        values = _read_array(path)
    except ValueError as error:
        raise ValueError(f"unreadable image: {error}") from error
    return _as_uint8(values)


def _read_array(path: Path) -> Array:
    """Read the numbers of a file of which nothing is believed before it is compared."""
    try:
        with path.open("rb") as file:
            shape, is_fortran, dtype = _npy_header(file)
            _check_image_shape(shape)
            num_bytes = math.prod(shape) * dtype.itemsize
            data = file.read(num_bytes)
    except OSError as error:
        raise ValueError(f"unreadable .npy file: {error.strerror}") from error
    if len(data) < num_bytes:
        raise ValueError(f"the .npy file ends early: its header says {shape} of {dtype}")
    return np.frombuffer(data, dtype).reshape(shape, order="F" if is_fortran else "C")


def _npy_header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    try:
        shape, is_fortran, dtype = _NPY_HEADERS[np.lib.format.read_magic(file)](file)
    # NumPy evaluates the header as Python: damage fails wherever it hits.
    except Exception as error:
        raise ValueError(f"no .npy file: {type(error).__name__} in its header") from error
    if dtype.kind not in "buif" or dtype.shape or min(shape, default=0) < 0:
        raise ValueError(f"the .npy file holds {shape} of {dtype}, no numbers")
    return shape, is_fortran, dtype


def _check_image_shape(shape: tuple[int, ...]) -> None:
    if len(shape) != 3 or shape[2] != 3 or 0 in shape:
        raise ValueError(f"shape {shape}, expected (H, W, 3)")
    if shape[0] * shape[1] > MAX_PIXELS:
        raise ValueError(f"{shape[1]} x {shape[0]} pixels, expected {MAX_PIXELS} in all at most")


def _as_uint8(values: Array) -> Image:
    if values.dtype == np.uint8:
        return values
    if values.dtype.kind not in "uif" or not np.isfinite(values).all():
        raise ValueError(f"image of type {values.dtype} with values that are no brightness")
    if values.min() < 0 or values.max() > 255 or np.any(values != np.rint(values)):
        raise ValueError("image values are not whole numbers in 0..255")
    return values.astype(np.uint8)
