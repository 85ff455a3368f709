"""Faces found in the frames of a video, and how they lie to each other."""

from dataclasses import dataclass, replace
from typing import Generic, NamedTuple, Protocol, TypeVar

import numpy as np

from common.arrays import Float, Image
from common.faces.detection import MAX_OVERLAP, Face, overlap_of_smaller


@dataclass(frozen=True)
class FoundFace:
    """A face in a frame of a video.

    Attributes:
        track: number of its track.
        bbox_xyxy_px: (4,) as the detector draws it.
        confidence: the detector's, of the latest search of a whole picture that found it.
        mesh: (478, 3) refined face mesh in pixels; None where it has none.
    """

    track: int
    bbox_xyxy_px: Float
    confidence: float
    mesh: Float | None


class Picture(Protocol):
    """A frame of a video."""

    @property
    def number(self) -> int:
        """Its 0-based position; later frames have greater ones."""

    @property
    def image(self) -> Image:
        """Its pixels (H, W, 3) uint8 RGB."""


Frame = TypeVar("Frame", bound=Picture)


class FoundFrame(NamedTuple, Generic[Frame]):
    """A frame, its faces, the surest found first, and where the picture lay (`CameraMotion`)."""

    frame: Frame
    faces: list[FoundFace]
    camera_px: Float


def moved(face: FoundFace, shift_px: Float) -> FoundFace:
    """Return a face moved by (x, y)."""
    mesh = None if face.mesh is None else face.mesh + np.append(shift_px, 0)
    return replace(face, bbox_xyxy_px=face.bbox_xyxy_px + np.tile(shift_px, 2), mesh=mesh)


def place(mesh: Float) -> tuple[Float, float]:
    """Return the middle (2,) of a mesh and its size, which does not change as the head turns."""
    middle = (mesh[:, :2].min(axis=0) + mesh[:, :2].max(axis=0)) / 2
    return middle, float(np.sqrt(mesh.var(axis=0).sum()))


def meets(face: FoundFace, others: list[FoundFace]) -> bool:
    """Return whether a face is one of others: more than half of the smaller box lies in both."""
    return any(overlap(face, other) > MAX_OVERLAP for other in others)


def overlap(face: Face | FoundFace, other: Face | FoundFace) -> float:
    """Return the part of the smaller of two boxes that lies in both; 0 if one is empty."""
    boxes = face.bbox_xyxy_px, other.bbox_xyxy_px
    return overlap_of_smaller(*boxes) if all(area(box) > 0 for box in boxes) else 0.0


def area(box: Float) -> float:
    """Return the area of a box (4,)."""
    width, height = np.maximum(box[2:] - box[:2], 0)
    return float(width * height)
