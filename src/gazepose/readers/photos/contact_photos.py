"""Anybody's labelled photos: a csv of faces beside a folder of images."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from gazepose.readers.photos.label_file import PARTS, Labels, joined, read_labels
from gazepose.readers.photos.parts import with_drawn_parts
from gazepose.readers.photos.reader import PhotosReader


@dataclass
class ContactPhotosReader(PhotosReader):
    """Reads a label file and the photos that it names.

    Attributes:
        labels: the csv (`read_labels`), its path from here or from `raw_dir`; None: the only one
            in `raw_dir`.
        images_dir: what the photos' paths start from; None: the folder ``images`` of `raw_dir`, if
            there is one, else `raw_dir`.
        part: of all photos: train, val or test; None: as the file's column ``part`` says, or drawn.
        split_fractions: shares of train, val and test where they are drawn, by person or photo.
        split_seed: chooses the drawn split.
    """

    labels: str | Path | None = None
    images_dir: str | Path | None = None
    part: str | None = None
    split_fractions: Sequence[float] = (0.8, 0.1, 0.1)
    split_seed: int = 0
    name: str = "contact_photos"

    def __post_init__(self) -> None:
        if self.part not in (None, *PARTS):
            raise ValueError(f"data.reader.part is {self.part!r}, expected one of {PARTS}")

    def _labels(self) -> Labels:
        same = {} if self.part is None else {"part": self.part}
        path = self._label_file()
        labels = joined([read_labels(path, **same)])
        if not (labels.faces or labels.faults):
            raise ValueError(f"{path} has no row that can be used")
        if labels.faces and not labels.faces[0].part:
            try:
                labels.faces = with_drawn_parts(labels.faces, self.split_fractions, self.split_seed)
            except ValueError as error:
                raise ValueError(f"{path}: {error}") from error
        return labels

    def _path(self, image: str, source: str) -> Path:
        return self._images_dir / image

    @cached_property
    def _images_dir(self) -> Path:
        if self.images_dir is not None:
            return Path(self.images_dir)
        images = Path(self.raw_dir) / "images"
        return images if images.is_dir() else Path(self.raw_dir)

    def _label_file(self) -> Path:
        folder = Path(self.raw_dir)
        if self.labels is not None:
            inside = folder / self.labels
            return inside if inside.is_file() else Path(self.labels)
        found = sorted(path for path in folder.glob("*.csv") if not path.name.startswith("."))
        if len(found) != 1:
            names = ", ".join(path.name for path in found) or "none"
            raise ValueError(
                f"data.raw_dir={folder}: expected one csv file of labels in it, found {names}; "
                "name it: data.reader.labels=FILE.csv"
            )
        return found[0]
