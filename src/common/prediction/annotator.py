"""What a predictor is asked: the faces of a photo or video, as plain values and drawn."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from common.arrays import Float, Image
from common.media.presentation import Shown
from common.media.video import TimedFrame


class KnownFace(Protocol):
    """A face and what was found of it."""

    @property
    def track_id(self) -> str:
        """Which face of the video; empty in a photo."""

    def record(self) -> dict[str, Any]:
        """Return plain values."""

    def draw(self, image: Image) -> None:
        """Draw it into its frame (H, W, 3) uint8 RGB."""


@dataclass(frozen=True)
class AnnotatedFrame:
    """What is known of one frame.

    Attributes:
        number: 0-based position in the decoded video.
        shown: when it is shown.
        records: one a face, as plain values; each has a ``track_id``. Where eye contact is known,
            ``is_looking`` says so.
        drawn: (H, W, 3) uint8 RGB, the frame with its faces drawn.
    """

    number: int
    shown: Shown
    records: list[dict[str, Any]]
    drawn: Image


class Annotator(ABC):
    """Says something about the faces of photos and videos."""

    @abstractmethod
    def predict(self, image: Image, camera_matrix: Float | None = None) -> Sequence[KnownFace]:
        """Return all faces of a photo, the surest found first.

        Args:
            image: (H, W, 3) uint8 RGB, upright.
            camera_matrix: (3, 3) intrinsics in pixels, None if the photo does not tell them.
        """

    @abstractmethod
    def predict_video(self, path: Path) -> Iterator[tuple[TimedFrame, Sequence[KnownFace]]]:
        """Yield every frame in ascending order with its faces; damaged ones may be left out.

        May raise `common.media.video.DamagedVideoError` after the sound frames.
        """

    def annotate(
        self, image: Image, camera_matrix: Float | None = None
    ) -> tuple[list[dict[str, Any]], Image]:
        """Return one record a face of a photo, and a copy with all of them drawn."""
        faces = self.predict(image, camera_matrix)
        return [face.record() for face in faces], _drawn(image, faces)

    def annotate_video(self, path: Path) -> Iterator[AnnotatedFrame]:
        """Yield what `predict_video` does with one record a face, and all of them drawn."""
        for (number, image, shown), faces in self.predict_video(path):
            records = [{"track_id": face.track_id, **face.record()} for face in faces]
            yield AnnotatedFrame(number, shown, records, _drawn(image, faces))


def _drawn(image: Image, faces: Sequence[KnownFace]) -> Image:
    drawn = image.copy()
    for face in faces:
        face.draw(drawn)
    return drawn
