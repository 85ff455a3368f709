"""Videos of coloured squares, and a detector that takes them for faces."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from common.faces.analysis import FaceAnalyzer
from common.faces.detection import Face
from common.faces.mediapipe.mesh import FaceMesh
from common.faces.settings import AnalyzerSettings
from common.media.video_writer import write_video

HEIGHT, WIDTH, SIDE = 96, 160, 40
RED, GREEN = 0, 1
# For each colour the left edge of its square in each frame; None where there is none.
Lefts = Mapping[int, Sequence[int | None]]


def frame_of(lefts: Mapping[int, int | None], top: int = 20) -> np.ndarray:
    """A dark frame with one square a colour."""
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    for colour, left in lefts.items():
        if left is not None:
            image[top : top + SIDE, left : left + SIDE, colour] = 220
    return image


def write_faces_video(path: Path, lefts: Lefts, fps_hz: float = 30.0) -> Path:
    """Write a video of squares that move."""
    path.parent.mkdir(parents=True, exist_ok=True)
    num = len(next(iter(lefts.values())))
    frames = (frame_of({c: edges[i] for c, edges in lefts.items()}) for i in range(num))
    write_video(path, frames, fps_hz)
    return path


class SquareDetector:
    """Finds the square of each colour."""

    name = "squares"

    def detect(self, image: np.ndarray) -> list[Face]:
        found = []
        for colour in (RED, GREEN):
            rows, columns = np.nonzero(image[..., colour] > 120)
            if len(rows) > SIDE:
                box = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
                found.append(Face(box.astype(np.float64), 0.9 - 0.1 * colour))
        return found


@dataclass(frozen=True)
class SquareSettings(AnalyzerSettings):
    """Settings that change nothing of what is found."""

    def recipe(self) -> dict[str, Any]:
        return asdict(self)

    def build(self) -> FaceAnalyzer:
        return FaceAnalyzer(SquareDetector(), FaceMesh())


def square_settings() -> Any:
    return SquareSettings()
