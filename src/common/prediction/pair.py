"""Two questions about the same faces: one search, one row a face, one drawing."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from common.arrays import Float, Image
from common.faces.tracking import best_pairs, iou
from common.prediction.annotator import Annotator, Found, Judged, KnownFace

_CONTACT = "is_looking"
# What a command predicts with.
_NAMED = ("run", "checkpoint", "onnx", "contact_run")
# Of two boxes around one face in a photo.
_LEAST_IOU = 0.25


@dataclass(frozen=True)
class PairedFace:
    """A face, and what another net says of it."""

    first: KnownFace
    other: KnownFace | None
    other_columns: Iterable[str]

    @property
    def track_id(self) -> str:
        """Return the first's."""
        return self.first.track_id

    @property
    def bbox_xyxy_px(self) -> Float:
        """Return the first's."""
        return self.first.bbox_xyxy_px

    def record(self) -> dict[str, Any]:
        """Return the values of both; where both know something, the first's."""
        other = {} if self.other is None else self.other.record()
        return dict.fromkeys(self.other_columns) | other | self.first.record()

    def draw(self, image: Image) -> None:
        """Draw the first as it is, and of the other what lies inside its box."""
        self.first.draw(image)
        if self.other is not None:
            self.other.draw_inside(image)

    def draw_inside(self, image: Image) -> None:
        """Draw both without box and name."""
        for face in (self.first, self.other):
            if face is not None:
                face.draw_inside(image)


def pair_of(contact: Annotator, other: Annotator, typed: Mapping[str, Any]) -> "Pair":
    """Return the pair of ``contact_run=`` and ``run=`` (or what stands in its place), as typed.

    Raises:
        ValueError: If the first says nothing of eye contact, or the other does, too.
    """
    told = [_CONTACT in annotator.columns for annotator in (contact, other)]
    if told != [True, False]:
        named = [f"{name}={typed[name]}" for name in _NAMED if typed[name] is not None]
        raise ValueError(
            f"{' '.join(named)}: expected a run of gaze and a run of eye contact, in this order"
        )
    return Pair(contact, other)


class Pair(Annotator):
    """Asks two annotators about the same faces.

    Args:
        first: finds the faces, and says which of them count.
        other: is asked about those; what it says of none stays empty.
    """

    def __init__(self, first: Annotator, other: Annotator) -> None:
        self.columns = {**other.columns, **first.columns}
        self.follower = first.follower
        self._first = first
        self._other = other

    def predict(self, image: Image, camera_matrix: Float | None = None) -> list[PairedFace]:
        """Return the first's faces of a photo, each with the other's whose box meets its best."""
        faces = self._first.predict(image, camera_matrix)
        others = self._other.predict(image, camera_matrix)
        boxes, other_boxes = (
            np.array([face.bbox_xyxy_px for face in some]).reshape(-1, 4)
            for some in (faces, others)
        )
        pairs = best_pairs(iou(other_boxes, boxes), _LEAST_IOU)
        return self._paired(faces, {place: others[pairs[place]] for place in pairs})

    def judge(self, found: Iterable[Found]) -> Iterator[Judged]:
        """Yield frames with the first's faces, each with the other's of the same track."""
        once, again = _both(found)
        both = zip(self._first.judge(once), self._other.judge(again), strict=True)
        for (frame, faces), (_, others) in both:
            by_track = {face.track_id: face for face in others}
            of_place = {
                place: by_track[face.track_id]
                for place, face in enumerate(faces)
                if face.track_id in by_track
            }
            yield frame, self._paired(faces, of_place)

    def _paired(self, faces: Sequence[KnownFace], others: dict[int, KnownFace]) -> list[PairedFace]:
        columns = self._other.columns
        return [PairedFace(face, others.get(place), columns) for place, face in enumerate(faces)]


def _both(found: Iterable[Found]) -> tuple[Iterator[Found], Iterator[Found]]:
    """Return two iterators over frames, each of which is kept until both have it.

    `itertools.tee` frees what both have in blocks of 57: at 1280 x 720, 150 MB.
    """
    frames = iter(found)
    waiting: tuple[deque[Found], deque[Found]] = (deque(), deque())

    def given(own: deque[Found]) -> Iterator[Found]:
        while True:
            if not own:
                frame = next(frames, None)
                if frame is None:
                    return
                for each in waiting:
                    each.append(frame)
            yield own.popleft()

    return given(waiting[0]), given(waiting[1])
