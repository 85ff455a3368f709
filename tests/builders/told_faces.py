"""An annotator that says of each frame of a video what it was told."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

import polars as pl

from common.media.video import read_timed_frames
from common.prediction.annotator import AnnotatedFrame

Record = dict[str, Any]


class ToldFaces:
    columns: ClassVar[Any] = {
        "is_looking": pl.Boolean,
        "gaze_yaw_deg": pl.Float64,
        "gaze_pitch_deg": pl.Float64,
    }

    def __init__(self, records: Sequence[Sequence[Record]]) -> None:
        self._records = records

    def annotate_video(self, path: Path) -> Iterator[AnnotatedFrame]:
        for number, image, shown in read_timed_frames(path):
            yield AnnotatedFrame(number, shown, list(self._records[number]), image)


def face(
    track_id: str, is_looking: bool | None = None, gaze_deg: tuple[float, float] | None = None
) -> Record:
    known: Record = {"track_id": track_id, "is_looking": is_looking}
    yaw_deg, pitch_deg = gaze_deg or (None, None)
    return known | {"gaze_yaw_deg": yaw_deg, "gaze_pitch_deg": pitch_deg}
