"""NITEC (WACV 2024): eye contact labels for heads in the photos of four other data sets.

Its own files are headerless: ``train/nitec_SOURCE.csv`` and ``test/nitec_SOURCE.csv``. Paths in
them begin as in the authors' checkout, e.g. ``data/HELEN/100032540_1.jpg``.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path, PurePosixPath

from common.listing import counted
from common.preprocessing.findings import Finding
from gazepose.readers.photos.label_file import COLUMNS, LabelledFace, Labels, joined, read_labels
from gazepose.readers.photos.parts import steadily_shuffled
from gazepose.readers.photos.reader import PhotosReader

SOURCES = ("celeba", "gaze360", "helen", "widerface")
_PUBLISHED_PARTS = ("train", "test")
# Of a source's photos: a slow drive takes long to say of each that it is not there.
_NUM_TRIED = 200
_PLACES = (".", "annotations", "data/annotations")


@dataclass
class NitecReader(PhotosReader):
    """Reads NITEC; what is not there of its files and of the image sets is left out.

    Train and test are the published lists. A val part is not published: it is drawn from train, by
    photo and source by source.

    Attributes:
        images_dir: folder that the photos' paths begin in, or any of their later folders; None:
            `raw_dir`.
        sources: of `SOURCES`, those that are wanted.
        val_fraction: share of each source's train photos that becomes val.
        split_seed: chooses them.
    """

    images_dir: str | Path | None = None
    sources: Sequence[str] = SOURCES
    val_fraction: float = 0.1
    split_seed: int = 0
    name: str = "nitec"

    def __post_init__(self) -> None:
        unknown = sorted(set(self.sources) - set(SOURCES))
        if unknown or not self.sources:
            given = list(self.sources)
            raise ValueError(f"data.reader.sources={given}, expected some of {SOURCES}")
        if not 0 < self.val_fraction < 1:
            raise ValueError(f"data.reader.val_fraction={self.val_fraction}, expected 0 to 1")

    def _labels(self) -> Labels:
        labels = joined(self._published.values())
        there = {source for source in self.sources if self._num_dropped[source] is not None}
        labels.faces = [face for face in labels.faces if face.source in there]
        labels.faults = [fault for fault in labels.faults if fault.source in there]
        if not labels.faces:
            raise ValueError(
                f"no photo of {', '.join(self.sources)} is under {self._images_dir}, e.g. no "
                f"{self._example()}; say where they are: data.images_dir=FOLDER"
            )
        return Labels(self._with_val(labels.faces), labels.faults)

    def _path(self, image: str, source: str) -> Path:
        return self._images_dir / _without_folders(image, self._num_dropped[source] or 0)

    def _notes(self) -> list[Finding]:
        """Return what is left out, source by source."""
        found = []
        for source in self.sources:
            absent = [part for part in _PUBLISHED_PARTS if (source, part) not in self._published]
            for part in absent:
                where = f"{part}/nitec_{source}.csv"
                found.append(Finding("warning", f"no {where}: left out", str(self.raw_dir)))
            if len(absent) < len(_PUBLISHED_PARTS) and self._num_dropped[source] is None:
                faces = self._faces_of(source)
                num_photos = len({face.image for face in faces})
                what = f"{source}: none of its {counted(num_photos, 'photos')} is there; "
                what += f"{counted(len(faces), 'rows')} left out"
                remedy = "data.images_dir=FOLDER, or data.reader.sources=[...] without it"
                found.append(Finding("warning", what, str(self._images_dir), remedy))
        return found

    @property
    def _images_dir(self) -> Path:
        return Path(self.raw_dir if self.images_dir is None else self.images_dir)

    @cached_property
    def _published(self) -> dict[tuple[str, str], Labels]:
        """Return the files that are there, by source and part."""
        folders = [Path(self.raw_dir) / place for place in _PLACES]
        files = {
            (source, part): next((path for path in paths if path.is_file()), None)
            for source in self.sources
            for part in _PUBLISHED_PARTS
            for paths in [[folder / part / f"nitec_{source}.csv" for folder in folders]]
        }
        if not any(files.values()):
            raise ValueError(
                f"{self.raw_dir} holds none of NITEC's files; expected train/nitec_helen.csv and "
                "its like in it (github.com/thohemp/nitec, data/annotations)"
            )
        return {
            (source, part): read_labels(path, COLUMNS, part=part, source=source)
            for (source, part), path in files.items()
            if path is not None
        }

    @cached_property
    def _num_dropped(self) -> dict[str, int | None]:
        """Return for each source how many of the paths' first folders are above `_images_dir`.

        None if no photo of it is there.
        """
        return {source: self._first_found(source) for source in self.sources}

    def _first_found(self, source: str) -> int | None:
        images = sorted({face.image for face in self._faces_of(source)})
        images = images[:: len(images) // _NUM_TRIED + 1]
        depth = max((len(PurePosixPath(image).parts) for image in images), default=0)
        for num in range(max(depth - 1, 0)):
            if any((self._images_dir / _without_folders(image, num)).is_file() for image in images):
                return num
        return None

    def _faces_of(self, source: str) -> list[LabelledFace]:
        files = [self._published.get((source, part), Labels()) for part in _PUBLISHED_PARTS]
        return [face for labels in files for face in labels.faces]

    def _example(self) -> str:
        return next(face.image for labels in self._published.values() for face in labels.faces)

    def _with_val(self, faces: Sequence[LabelledFace]) -> list[LabelledFace]:
        val: set[str] = set()
        for source in self.sources:
            train = {face.image for face in faces if (face.source, face.part) == (source, "train")}
            order = steadily_shuffled(train, self.split_seed)
            val.update(order[: round(self.val_fraction * len(order))])
        return [replace(face, part="val") if face.image in val else face for face in faces]


def _without_folders(image: str, num: int) -> Path:
    return Path(*PurePosixPath(image).parts[num:])
