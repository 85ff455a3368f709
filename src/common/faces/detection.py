"""Finding faces: what every detector offers and is told, and MediaPipe's two models behind it."""

import logging
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from common.arrays import Float, Image
from common.faces.cropping import padded_square, shrunk
from common.faces.mediapipe.graph import MediaPipeGraph
from common.faces.mediapipe.nets import face_detection

LOG = logging.getLogger(__name__)

# Bounds the work on large photos: about 20 tiles, 0.05 s.
SMALLEST_FACE_FRACTION = 0.0208
# Least overlap of neighbours, as a part of a tile: a face of the next coarser level's size (twice
# the smallest) fits into it.
TILE_OVERLAP = 0.25
# Share of the smaller box above which two boxes are one face.
MAX_OVERLAP = 0.5


@dataclass(frozen=True)
class Face:
    """A detected face.

    Attributes:
        bbox_xyxy_px: (4,) left, top, right, bottom in pixel-centre coordinates, inside the image.
        confidence: the detector's score in [0, 1].
    """

    bbox_xyxy_px: Float
    confidence: float


class FaceDetector(Protocol):
    """Finds faces in an RGB image.

    Attributes:
        name: recorded as the source of every box.
    """

    name: str

    def detect(self, image: Image) -> list[Face]:
        """Return the faces in an image (H, W, 3) uint8 RGB, best first."""


class SmallestFace:
    """How narrow faces are that a detector looks for; it bounds the work on large photos.

    Args:
        min_px: width in pixels.
        min_fraction: the same as a part of the image's longer side; the larger one counts.
    """

    def __init__(self, min_px: float = 40.0, min_fraction: float = SMALLEST_FACE_FRACTION) -> None:
        self.min_px = min_px
        self.min_fraction = min_fraction
        self._has_hinted = False

    def width_px(self, long_side: float) -> float:
        """Return the least width in an image whose longer side is given, both in pixels."""
        return max(self.min_px, self.min_fraction * long_side)

    def hint(self, long_side: float) -> None:
        """Say once, where no face was found, that the image's size decides, not `min_px`."""
        if self.width_px(long_side) > self.min_px and not self._has_hinted:
            self._has_hinted = True
            LOG.warning(
                "no face found in a picture of %d px; in those as large, faces narrower than "
                "%.0f px (min_face_fraction %g) are not looked for. min_face_fraction: 0 of the "
                "analyzer looks for all from %g px on, which takes longer",
                *(long_side, self.width_px(long_side), self.min_fraction, self.min_px),
            )


class MediaPipeDetector:
    """MediaPipe's face detectors on the whole image and on tiles of a pyramid.

    A detector sees the whole image at 128 or 192 px and loses small faces; overlapping tiles of
    finer levels find those. Boxes found more than once are merged by non-maximum suppression.
    Which detectors these are `common.faces.mediapipe.nets` says.
    """

    name = "mediapipe"

    def __init__(self, smallest_face: SmallestFace, *, min_confidence: float = 0.5) -> None:
        """Configure the detector; graphs are built on first use."""
        self._smallest_face = smallest_face
        self._nets = face_detection(min_confidence)

    def detect(self, image: Image) -> list[Face]:
        """Return the faces in an image (H, W, 3) uint8 RGB, best first."""
        long_side = max(image.shape[:2])
        smallest_face_px = self._smallest_face.width_px(long_side)
        sides = pyramid_sides(long_side, smallest_face_px / self._nets.smallest_face)
        # All levels come from the finest: a large photo is reduced only once.
        finest = shrunk(image, self._nets.tile_px / sides[-1])
        faces = [*self._in_whole_image(image, finest)]
        for side in sides:
            level = shrunk(finest, sides[-1] / side)
            faces.extend(self._in_tiles(image, level))
        if not faces:
            self._smallest_face.hint(long_side)
        return suppress_duplicates(faces)

    def _in_whole_image(self, image: Image, finest: Image) -> Iterator[Face]:
        if self._nets.in_whole is not None:
            view = shrunk(finest, self._nets.tile_px / max(finest.shape[:2]))
            yield from self._in_window(self._nets.in_whole, image, view, 0, 0, max(view.shape[:2]))

    def _in_tiles(self, image: Image, level: Image) -> Iterator[Face]:
        tile = min(self._nets.tile_px, max(level.shape[:2]))
        for y0 in tile_origins(level.shape[0], tile):
            for x0 in tile_origins(level.shape[1], tile):
                yield from self._in_window(self._nets.in_tiles, image, level, x0, y0, tile)

    def _in_window(
        self, graph: MediaPipeGraph, image: Image, level: Image, x0: int, y0: int, side: int
    ) -> Iterator[Face]:
        """Yield the faces that a square window of a reduced image shows whole."""
        for found in graph.find(padded_square(level, x0, y0, side)):
            edges = found[:4] * side + np.array([x0, y0, x0, y0])
            if not _is_cut(edges, (x0, y0), side, level.shape):
                scale = np.array(image.shape[1::-1]) / level.shape[1::-1]
                bbox = inside_image(edges * np.tile(scale, 2) - 0.5, image.shape)
                yield Face(bbox, float(found[4]))


def _is_cut(edges: Float, origin: tuple[int, int], side: int, shape: Sequence[int]) -> bool:
    """Tell whether a box touches a side of the tile beyond which the image goes on.

    Another tile shows such a face whole.
    """
    for axis, length in enumerate((shape[1], shape[0])):
        first, last = origin[axis], origin[axis] + side
        if (first > 0 and edges[axis] <= first) or (last < length and edges[axis + 2] >= last):
            return True
    return False


def inside_image(bbox_xyxy_px: Float, shape: Sequence[int]) -> Float:
    """Return a box (4,) with its corners moved into an image of shape (H, W, ...)."""
    limits = np.array([shape[1], shape[0], shape[1], shape[0]]) - 1
    return np.clip(bbox_xyxy_px, 0, limits)


def suppress_duplicates(faces: Sequence[Face]) -> list[Face]:
    """Keep the best of every group of overlapping faces, best first (non-maximum suppression).

    Two boxes overlap by the share of the smaller one that lies in the other: the two models draw
    boxes of different sizes around one face, which an intersection over union would keep apart.
    Equal scores keep their order; empty boxes are dropped.
    """
    kept: list[Face] = []
    for face in sorted(faces, key=lambda face: -face.confidence):
        if _area(face.bbox_xyxy_px) > 0 and all(
            overlap_of_smaller(face.bbox_xyxy_px, other.bbox_xyxy_px) <= MAX_OVERLAP
            for other in kept
        ):
            kept.append(face)
    return kept


def overlap_of_smaller(box: Float, other: Float) -> float:
    """Return the intersection of two boxes (4,) xyxy over the area of the smaller one."""
    corners = np.concatenate([np.maximum(box[:2], other[:2]), np.minimum(box[2:], other[2:])])
    return _area(corners) / min(_area(box), _area(other))


def _area(box: Float) -> float:
    width, height = np.maximum(box[2:] - box[:2], 0)
    return float(width * height)


def pyramid_sides(long_side: float, smallest_side: float) -> list[float]:
    """Return tile sides in pixels from the whole image's down, each at least half the last.

    The finest is `smallest_side`; of a smaller image the whole.
    """
    ratio = max(1.0, long_side / smallest_side)
    steps = math.ceil(math.log2(ratio) - 1e-9)
    return [long_side * ratio ** (-step / max(1, steps)) for step in range(steps + 1)]


def tile_origins(length: int, side: int) -> list[int]:
    """Return the evenly spread first pixels of tiles that cover [0, length) along one axis.

    It is one centred tile (negative origin) if that holds everything.
    """
    if side >= length:
        return [(length - side) // 2]
    gaps = math.ceil((length - side) / (side * (1 - TILE_OVERLAP)))
    return [round(index * (length - side) / gaps) for index in range(gaps + 1)]
