"""What all readers of labelled photos do; they differ in where the labels come from."""

import hashlib
import logging
import re
from abc import abstractmethod
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np

from common.arrays import Float
from common.faces.analysis import FaceAnalyzer
from common.faces.settings import AnalyzerSettings
from common.files.checksums import plain_digest
from common.media.photo import UnreadablePhotoError, read_photo
from common.preprocessing.findings import Finding
from common.store.skipped import Skipped
from gazepose.readers.detected_clip import tight_boxes
from gazepose.readers.photos.doctor import people_in_several_parts, photo_findings
from gazepose.readers.photos.label_file import Fault, LabelledFace, Labels
from gazepose.readers.sample import Frame, RawFace, RawReader

LOG = logging.getLogger(__name__)
NO_FACE = "no face found"
_NUM_GROUPS = 32
_MAX_LETTERS = 100


@dataclass
class PhotosReader(RawReader):
    """Reads labelled photos: a face is a track of one frame.

    A group of the store is a share of the photos of one source, by a hash of their names: photos
    that are added change no other's group, and a share that they leave stays, empty. Where a row
    has no box, the largest face that the detector finds counts.
    """

    raw_dir: str | Path
    analyzer: AnalyzerSettings = field(default_factory=AnalyzerSettings)
    name: str = "photos"

    @abstractmethod
    def _labels(self) -> Labels:
        """Return all rows, each face with a part.

        Raises:
            ValueError: If the folder does not hold this data set.
        """

    @abstractmethod
    def _path(self, image: str, source: str) -> Path:
        """Return where a photo lies."""

    @property
    def settings(self) -> dict[str, Any]:
        """Return how faces are found, as plain values."""
        return {"analyzer": self.analyzer.recipe()}

    def groups(self) -> list[str]:
        """Return all shares of each source, sorted; some may be empty.

        Raises:
            ValueError: If the folder does not hold this data set.
        """
        return sorted(self._items_of)

    def count(self, group: str) -> int:
        """Return the number of rows."""
        return len(self._items_of[group])

    def read(self, group: str) -> Iterator[RawFace | Skipped]:
        """Yield the group's faces photo by photo, and rows that cannot be used as skipped."""
        numbers: Counter[str] = Counter()
        for item in self._items_of[group]:
            if isinstance(item, Fault):
                yield Skipped(item.where, item.image, group, item.detail)
                continue
            path = self._path(item.image, item.source)
            bbox = item.bbox_xyxy_px or self._largest_face(path)
            if isinstance(bbox, str):
                yield Skipped(item.image, item.image, group, bbox)
                continue
            yield _row(item, np.array(bbox, np.float64), path, numbers[item.image])
            numbers[item.image] += 1

    def fingerprint(self, group: str) -> str | None:
        """Return what the rows say and the sizes of their photos; None if all of them are gone."""
        items = self._items_of[group]
        paths = {item.image: self._path(item.image, item.source) for item in items}
        found = {image: _num_bytes(path) for image, path in paths.items()}
        sizes = {image: size for image, size in found.items() if size is not None}
        if items and not sizes:
            return None
        return plain_digest([sizes, *({**asdict(item), "where": ""} for item in items)])

    def doctor(self) -> list[Finding]:
        """Say which rows and photos cannot be used, and who looks how often; nothing is decoded."""
        try:
            labels = self._all_labels
        except ValueError as error:
            return [Finding("error", str(error), str(self.raw_dir))]
        return [*self._notes(), *photo_findings(labels, self._path, str(self.raw_dir))]

    def _notes(self) -> list[Finding]:
        """Return what else the doctor should say; nothing by default."""
        return []

    @cached_property
    def _all_labels(self) -> Labels:
        return self._labels()

    @cached_property
    def _items_of(self) -> dict[str, list[LabelledFace | Fault]]:
        labels = self._all_labels
        if not labels.faces:
            first = "".join(f"; {fault.where}: {fault.detail}" for fault in labels.faults[:1])
            raise ValueError(f"{self.raw_dir} has no row that can be used{first}")
        # Only here: a run need not ask the doctor.
        for finding in people_in_several_parts(labels.faces, str(self.raw_dir)):
            LOG.warning("%s: %s -> %s", finding.where, finding.what, finding.remedy)
        items: list[LabelledFace | Fault] = [*labels.faces, *labels.faults]
        # A row that is cut short names no source; corrected, it must not take a group with it.
        sources = {"", *(item.source for item in items)}
        items_of: dict[str, list[LabelledFace | Fault]] = {
            _group_name(source, share): [] for source in sources for share in range(_NUM_GROUPS)
        }
        for item in sorted(items, key=lambda item: item.image):
            items_of[_group(item.image, item.source)].append(item)
        return items_of

    def _largest_face(self, path: Path) -> Float | str:
        """Return the box (4,) of the largest face in a photo, or why there is none."""
        try:
            image = read_photo(path).image
        except UnreadablePhotoError as error:
            return str(error)
        analyzer = _built(self.analyzer)
        faces = analyzer.detect(image)
        if not faces:
            return NO_FACE
        found = np.stack([face.bbox_xyxy_px for face in faces])
        boxes = tight_boxes(found, analyzer.detector_name)
        return boxes[np.argmax(np.prod(boxes[:, 2:] - boxes[:, :2], axis=1))]


@cache
def _built(settings: AnalyzerSettings) -> FaceAnalyzer:
    """Return this process's analyzer: its graphs are built once a process."""
    return settings.build()


def _group(image: str, source: str) -> str:
    share = int.from_bytes(hashlib.sha256(image.encode()).digest()[:4], "big") % _NUM_GROUPS
    return _group_name(source, share)


def _group_name(source: str, share: int) -> str:
    # Never a hidden file, nor one of too long a name, whatever the source is called.
    name = re.sub(r"[^0-9A-Za-z_-]", "_", source)[:_MAX_LETTERS]
    return f"{name or 'photos'}-{share:02d}"


def _num_bytes(path: Path) -> int | None:
    """Return a file's size; None if there is none, or none can be called so, as in a bad row."""
    try:
        return path.stat().st_size if path.is_file() else None
    except OSError:
        return None


def _row(face: LabelledFace, bbox_xyxy_px: Float, path: Path, number: int) -> RawFace:
    return RawFace(
        clip_uid=face.image,
        part=face.part,
        track_id=f"{face.image}:{number}",
        frame=0,
        track_index=0,
        label=face.label,
        bbox_xyxy_px=bbox_xyxy_px,
        image=Frame(path),
        person_id=face.person,
        is_photo=True,
        source=face.source or None,
    )
