"""What a predictor is asked: the faces of a photo or video, as plain values and drawn."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from common.arrays import Float, Image
from common.faces.following import FaceFollower
from common.faces.found_faces import FoundFrame
from common.media.ahead import made_ahead
from common.media.presentation import Shown
from common.media.video import TimedFrame, read_timed_frames


class KnownFace(Protocol):
    """A face and what was found of it."""

    @property
    def track_id(self) -> str:
        """Which face of the video; empty in a photo."""

    @property
    def bbox_xyxy_px(self) -> Float:
        """Its box (4,) in pixels."""

    def record(self) -> dict[str, Any]:
        """Return plain values."""

    def draw(self, image: Image) -> None:
        """Draw it into its frame (H, W, 3) uint8 RGB."""

    def draw_inside(self, image: Image) -> None:
        """Draw it without its box and name, which another has drawn."""


Schema = Mapping[str, Any]
"""Types of polars by column."""
Found = FoundFrame[TimedFrame]
Judged = tuple[TimedFrame, Sequence[KnownFace]]


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
    """Says something about the faces of photos and videos.

    Attributes:
        columns: what a face's record holds beside its track, and of which type.
        follower: finds and follows the faces of videos.
    """

    columns: Schema
    follower: FaceFollower

    @abstractmethod
    def predict(self, image: Image, camera_matrix: Float | None = None) -> Sequence[KnownFace]:
        """Return all faces of a photo, the surest found first.

        Args:
            image: (H, W, 3) uint8 RGB, upright.
            camera_matrix: (3, 3) intrinsics in pixels, None if the photo does not tell them.
        """

    @abstractmethod
    def judge(self, found: Iterable[Found]) -> Iterator[Judged]:
        """Yield the frames of one video in order with what is known of their faces.

        Some frames may be asked for before the first is given.
        """

    def predict_frames(self, frames: Iterable[TimedFrame]) -> Iterator[Judged]:
        """Yield frames with their faces, a pipeline: a thread each reads, finds and judges.

        Live, each frame is asked for when the one before it is answered: what is made ahead would
        be old when its turn comes.

        Raises:
            ValueError: What reading `frames` raises, as `common.media.video.DamagedVideoError`:
                after all frames that could be read.
        """
        if self.follower.settings.is_live:
            yield from self.judge(self.follower.follow(frames))
            return
        errors: list[ValueError] = []
        found = self.follower.follow(made_ahead(_readable(frames, errors)))
        yield from made_ahead(self.judge(made_ahead(found)))
        if errors:
            raise errors[0]

    def predict_video(self, path: Path) -> Iterator[Judged]:
        """Yield every frame in ascending order with its faces; damaged ones are left out.

        Raises:
            ValueError: If it cannot be opened; of a damaged one after the sound frames.
        """
        return self.predict_frames(read_timed_frames(path))

    def annotate(
        self, image: Image, camera_matrix: Float | None = None
    ) -> tuple[list[dict[str, Any]], Image]:
        """Return one record a face of a photo, and a copy with all of them drawn."""
        faces = self.predict(image, camera_matrix)
        return [face.record() for face in faces], drawn_frame(image, faces)

    def annotate_video(self, path: Path) -> Iterator[AnnotatedFrame]:
        """Yield what `predict_video` does with one record a face, and all of them drawn."""
        for (number, image, shown), faces in self.predict_video(path):
            yield AnnotatedFrame(number, shown, records_of(faces), drawn_frame(image, faces))


def records_of(faces: Sequence[KnownFace]) -> list[dict[str, Any]]:
    """Return one record a face of a video's frame, beginning with its track."""
    return [{"track_id": face.track_id, **face.record()} for face in faces]


def _readable(frames: Iterable[TimedFrame], errors: list[ValueError]) -> Iterator[TimedFrame]:
    """Yield frames; what ends them early goes to `errors`: those before it are still on the way."""
    try:
        yield from frames
    except ValueError as error:
        errors.append(error)


def drawn_frame(image: Image, faces: Sequence[KnownFace]) -> Image:
    """Return a copy of a frame (H, W, 3) with its faces drawn."""
    drawn = image.copy()
    for face in faces:
        face.draw(drawn)
    return drawn
