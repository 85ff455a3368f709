"""Stand-ins for the data set and for face detection: what they find is told by the photo."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from builders.small_store import eye_landmarks
from common.faces.analysis import FaceObservation
from common.geometry import GazeFrame
from common.store.skipped import Skipped
from flame.readers.sample import RawReader, RawSample

PHOTO_SHAPE = (240, 320, 3)
FACE, TWO_FACES, NO_FACE, OFF_THE_FRAME = 10, 20, 30, 40


def photo(kind: int) -> np.ndarray:
    """A photo whose first pixel says what is in it."""
    image = np.full(PHOTO_SHAPE, 90, np.uint8)
    image[0, 0] = kind
    return image


def observation(left: float = 0.0) -> FaceObservation:
    """A face whose box begins at (left + 40, 30), 140 px wide and 160 high."""
    landmarks = eye_landmarks(np.random.default_rng(0))
    landmarks[:56] += left + 10
    box = np.array([left + 40.0, 30.0, left + 180.0, 190.0])
    mesh = np.zeros((478, 3))
    mesh[:, 0], mesh[:, 1] = np.linspace(box[0], box[2], 478), np.linspace(box[1], box[3], 478)
    return FaceObservation(box, 0.9 - left / 1000, mesh, landmarks, np.array([0.1, 0.2, 0.3]), 0.01)


class FakeAnalyzer:
    """Finds what the photo's first pixel says; remembers the last photo's camera."""

    detector_name = "fake_detector"
    camera_matrix: Any = None

    def analyze(self, image: np.ndarray, camera_matrix: Any = None) -> list[FaceObservation]:
        self.camera_matrix = camera_matrix
        kind = int(image[0, 0, 0])
        if kind == NO_FACE:
            return []
        if kind == TWO_FACES:
            return [observation(), observation(left=130.0)]
        return [observation(left=200.0 if kind == OFF_THE_FRAME else 0.0)]


@dataclass(frozen=True)
class FakeAnalyzerSettings:
    """Stands where `common.faces.settings.AnalyzerSettings` does."""

    min_confidence: float = 0.5

    def recipe(self) -> dict[str, Any]:
        return asdict(self)

    def build(self) -> FakeAnalyzer:
        return FakeAnalyzer()


@dataclass(frozen=True)
class FakeReader(RawReader):
    """A data set in memory: kinds of photos by group.

    Attributes:
        kinds: group -> what its photos show; a text is the reason of a skipped one, an
            exception is raised in its place.
        compares: whether a group with other kinds is made again.
    """

    kinds: dict[str, list[int | str | BaseException]]
    option: int = 1
    name: str = "fake"
    gaze_convention: str = "columbia_target_angles"
    gaze_frame: GazeFrame = "camera"
    options: dict[str, Any] = field(default_factory=dict)
    compares: bool = False

    @property
    def settings(self) -> dict[str, Any]:
        return self.options

    def groups(self) -> list[str]:
        return sorted(self.kinds)

    def count(self, group: str) -> int:
        return len(self.kinds[group])

    def fingerprint(self, group: str) -> str | None:
        return repr(self.kinds[group]) if self.compares else None

    def read(self, group: str) -> Iterator[RawSample | Skipped]:
        for index, kind in enumerate(self.kinds[group]):
            sample_id = f"{group}_{index}"
            if isinstance(kind, BaseException):
                raise kind
            if isinstance(kind, str):
                yield Skipped(sample_id, group, group, kind)
            else:
                yield raw_sample(kind, group=group, index=index)


def raw_sample(kind: int, group: str = "p1", index: int = 0, **fields: Any) -> RawSample:
    """A labelled photo of one kind."""
    defaults: dict[str, Any] = {
        "gaze": np.array([0.01 * index, -0.02]),
        "head_pose": np.array([0.0, 0.1, 0.0]),
    }
    return RawSample(
        sample_id=f"{group}_{index}",
        subject=group,
        group=group,
        index=index,
        image=photo(kind),
        **(defaults | fields),
    )
