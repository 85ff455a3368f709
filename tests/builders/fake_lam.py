"""Stand-ins for a data set of clips and for what measures faces."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from common.media.image_codec import encode_image
from common.preprocessing.findings import Finding
from common.store.skipped import Skipped
from gazepose.preprocessing.preparation import PreparedFace
from gazepose.readers.sample import RawFace, RawReader

IMAGE, NO_IMAGE = "image", "no image"
# Of one clip: what its frames hold, a reason to skip an item, or an exception to raise.
Kinds = list[str | BaseException]


class FakeMesh:
    """A face that fills its box: 478 points on a grid, or none where the image is black."""

    calls = 0

    def landmarks(self, image: np.ndarray, bbox_xyxy_px: np.ndarray) -> np.ndarray | None:
        self.calls += 1
        if not image.any():
            return None
        mesh = np.zeros((478, 3))
        left, top, right, bottom = bbox_xyxy_px
        spread = np.random.default_rng(0).uniform(0.2, 0.8, (478, 2))
        mesh[:, :2] = [left, top] + spread * [right - left, bottom - top]
        return mesh


class FakePreparer:
    """Stores the mean colour of what it gets; sharpness is its first channel."""

    def from_frame(self, frame: np.ndarray, bbox_xyxy_px: np.ndarray) -> PreparedFace | None:
        left, top, right, bottom = (int(value) for value in np.nan_to_num(bbox_xyxy_px, nan=-9))
        window = frame[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
        return None if window.size == 0 else prepared_face(window.mean((0, 1)))

    def from_file(self, encoded: bytes) -> PreparedFace:
        image = cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_COLOR)
        if image is None:
            raise ValueError("damaged image")
        return prepared_face(image[..., ::-1].mean((0, 1)))


def prepared_face(colour: Any) -> PreparedFace:
    image = np.full((4, 4, 3), np.round(colour), np.uint8)
    points = np.tile([0.5, 0.5, 1.0], (5, 1))
    return PreparedFace(encode_image(image, "png", 1), float(image[0, 0, 0]), points, np.zeros(3))


@dataclass(frozen=True)
class FakePreparation:
    """Stands where `gazepose.preprocessing.preparation.PreparationSettings` does."""

    margin: float = 0.0
    landmarks: str = "mesh"
    head_pose: str = "mesh"
    wanted_priors: tuple[str, ...] = ()
    needed_priors: tuple[str, ...] = ()

    def recipe(self) -> dict[str, Any]:
        return {"margin": self.margin}

    def build(self) -> FakePreparer:
        return FakePreparer()


@dataclass(frozen=True)
class FakeLamReader(RawReader):
    """A data set in memory, a track of one person a clip.

    Attributes:
        kinds: clip -> its frames; even numbered frames look at the camera.
        sources: clip -> what it is made from; nothing is told of the others.
    """

    kinds: dict[str, Kinds]
    options: dict[str, Any] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    name: str = "fake"
    sources: dict[str, str] = field(default_factory=dict)

    @property
    def settings(self) -> dict[str, Any]:
        return self.options

    def groups(self) -> list[str]:
        return sorted(self.kinds)

    def count(self, group: str) -> int:
        return len(self.kinds[group])

    def read(self, group: str) -> Iterator[RawFace | Skipped]:
        for index, kind in enumerate(self.kinds[group]):
            if isinstance(kind, BaseException):
                raise kind
            if kind in (IMAGE, NO_IMAGE):
                image = image_file(10 * index + len(group)) if kind == IMAGE else None
                yield raw_face(group, index, image)
            else:
                yield Skipped(f"{group}:t:{index}", "t", group, kind)

    def fingerprint(self, group: str) -> str | None:
        return self.sources.get(group)

    def doctor(self) -> list[Finding]:
        return list(self.findings)


def raw_face(clip: str, index: int, image: Path | None) -> RawFace:
    return RawFace(
        clip_uid=clip,
        part="val" if clip.startswith("v") else "train",
        track_id="t",
        frame=100 + index,
        track_index=index,
        label=1 - index % 2,
        bbox_xyxy_px=np.array([0.0, 0.0, 8.0, 8.0]),
        image=image,
        person_id="1",
    )


def image_file(level: int) -> Path:
    """A gray image; every process writes its own."""
    path = Path(_folder().name, f"{level}.png")
    path.write_bytes(encode_image(np.full((8, 8, 3), level, np.uint8), "png", 1))
    return path


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory()
