"""A run as a library's function: photos, videos and arrays in, a table of faces out."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np
import polars as pl

from common.arrays import Image
from common.media.photo import read_photo
from common.media.presentation import Shown
from common.media.sources import kind_of
from common.media.video import TimedFrame
from common.prediction.annotator import Judged, KnownFace, Schema, records_of
from common.prediction.command import annotator_of
from common.prediction.face_table import rows_of
from common.prediction.trained import from_run

Face = TypeVar("Face", bound=KnownFace)
_OF_FRAMES: Schema = {"frame": pl.Int64, "time_s": pl.Float64, "track_id": pl.String}
_RUNS_DIR = "runs"


class RunPredictor(Generic[Face]):
    """What a line's ``Predictor`` is.

    Args:
        run: a run's folder; ``latest`` is the one begun last in ``runs/``.
        checkpoint: of the run; the best by default.
        trusted: modules of others that the run may name, as ``trusted=`` of ``predict.py``.
        **annotator: laid over the run's own settings, as ``annotator=`` there, e.g.
            ``following={"largest_only": True}`` or ``precision="bf16-mixed"``.

    Raises:
        ValueError: If there is no such run, it is of another line, or a setting is unknown.
    """

    line: ClassVar[str]

    def __init__(
        self,
        run: str | Path,
        *,
        checkpoint: str | Path | None = None,
        trusted: Sequence[str] = (),
        **annotator: Any,
    ) -> None:
        asked = {"run": str(run), "checkpoint": checkpoint, "trusted": list(trusted)}
        trained = from_run({**asked, "module": {}, "paths": {"runs_dir": _RUNS_DIR}})
        model = trained.config["model"]
        if model["line"] != self.line:
            raise ValueError(
                f"{run} is of {model['name']}, about {model['line']}; this Predictor is about "
                f"{self.line}: take the one of the other package"
            )
        self._annotator = annotator_of(trained, annotator)

    def __call__(self, source: str | Path | Image | Iterable[Image]) -> pl.DataFrame:
        """Return the faces of a photo or a video.

        Args:
            source: the path of a photo or video; or a photo as an array (H, W, 3) uint8 RGB, or
                a video's frames, an array (T, H, W, 3) or anything that yields such photos.

        Returns:
            One row a face. Of a video with ``frame``, ``time_s`` (null for arrays) and
            ``track_id``, and with one row for a frame without a face, all else null.

        Raises:
            ValueError: If the file cannot be read, or an array is no picture. Of a damaged video
                too: `stream` gives the frames before the damage.
        """
        if isinstance(source, str | Path):
            return self._of_file(Path(source))
        if isinstance(source, np.ndarray) and source.ndim == 3:
            return self._of_photo(_checked(source), None)
        return _table(self._annotator.predict_frames(_numbered(source)), self._columns, timed=False)

    def stream(self, frames: Iterable[Image | TimedFrame]) -> Iterator[list[Face]]:
        """Yield the faces of each frame of a video, in order.

        They come some frames later than asked for: a face is followed back, a gap is filled, a
        clip sees what comes after its middle. With ``following={"is_live": True}`` they come at
        once, by what was seen until then.

        Args:
            frames: (H, W, 3) uint8 RGB each; or what `common.media.video.read_timed_frames` yields.

        Raises:
            ValueError: If a frame is no picture, or reading them raises it, after those before.
        """
        for _, faces in self._annotator.predict_frames(_numbered(frames)):
            yield list(faces)  # type: ignore[arg-type]

    @property
    def _columns(self) -> Schema:
        return self._annotator.columns

    def _of_file(self, path: Path) -> pl.DataFrame:
        if kind_of(path) == "photo":
            return self._of_photo(*read_photo(path))
        return _table(self._annotator.predict_video(path), self._columns, timed=True)

    def _of_photo(self, image: Image, camera_matrix: Any) -> pl.DataFrame:
        faces = self._annotator.predict(image, camera_matrix)
        return pl.DataFrame([face.record() for face in faces], schema=dict(self._columns))


def _table(frames: Iterator[Judged], columns: Schema, *, timed: bool) -> pl.DataFrame:
    rows = []
    for frame, faces in frames:
        time_s = round(frame.shown.time_s, 3) if timed else None
        rows += rows_of({"frame": frame.number, "time_s": time_s}, records_of(faces))
    return pl.DataFrame(rows, schema={**_OF_FRAMES, **columns})


def _numbered(frames: Iterable[Image | TimedFrame]) -> Iterator[TimedFrame]:
    for number, frame in enumerate(frames):
        if isinstance(frame, TimedFrame):
            yield frame
        else:
            yield TimedFrame(number, _checked(frame), Shown(0.0, 0.0))


def _checked(image: Image) -> Image:
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise ValueError(
            f"got an array {image.shape} of {image.dtype}, expected a picture (H, W, 3) of uint8, "
            "RGB (OpenCV's are BGR: image[..., ::-1])"
        )
    return np.ascontiguousarray(image)
