"""Faces of a video joined into tracks: one face, one number, for as long as it is seen.

A face goes on where its box overlaps the last box of a track best (intersection over union, the
best pair first), once the camera's own motion is taken out of both: else a camera that swings while
faces are too blurred to be found would hand one person's number to another. A cut or a jump leaves
no overlap and begins new tracks; a face that comes back after `TrackingSettings.max_gap` frames is
a new one. Nothing looks at appearance: two people who cross may exchange their numbers.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from common.arrays import Float, Image
from common.config.recordable import recordable
from common.faces.camera_motion import CameraMotion
from common.faces.detection import Face

_UNMOVED = np.zeros(2)


@recordable
@dataclass(frozen=True)
class TrackingSettings:
    """When two boxes are one face.

    Attributes:
        min_iou: least overlap (intersection over union) in (0, 1] of a face with its last box.
        max_gap: frames a face may be unseen within a track, 0 or more.
        min_length: detections a track must have to count; fewer are mostly false alarms.
        min_peak_confidence: score that a track must reach once to count. In real videos people
            reached 0.71 to 0.95 with CenterFace, an animal 0.67; with MediaPipe's detector whole
            faces reached 0.96, necks and beards never 0.70.

    Raises:
        ValueError: If a setting is out of its range.
    """

    min_iou: float = 0.25
    max_gap: int = 10
    min_length: int = 5
    min_peak_confidence: float = 0.7

    def __post_init__(self) -> None:
        if not 0 < self.min_iou <= 1:
            raise ValueError(f"min_iou is {self.min_iou}, expected more than 0 and at most 1")
        if self.max_gap < 0:
            raise ValueError(f"max_gap is {self.max_gap}, expected 0 or more frames")
        if self.min_length < 1:
            raise ValueError(f"min_length is {self.min_length}, expected 1 or more detections")


@dataclass(frozen=True)
class BoxTrack:
    """One face's detections.

    Attributes:
        number: of the track, from 0 in order of appearance; numbers of dropped tracks are not
            given again.
        frames: (N,) int32, ascending, with gaps where the face was not found.
        boxes_xyxy_px: (N, 4) float64.
        confidences: (N,) float64 in [0, 1].
        camera_px: (L, 2) float64, where the picture lay (`common.faces.camera_motion`) in each of
            the L frames from the first to the last, those between without a detection too.
    """

    number: int
    frames: npt.NDArray[np.int32]
    boxes_xyxy_px: Float
    confidences: Float
    camera_px: Float


class FaceTracker:
    """Gives every face of every frame its track's number; remembers the living tracks only."""

    def __init__(self, settings: TrackingSettings) -> None:
        self._settings = settings
        self._num_tracks = 0
        self._last_seen: dict[int, tuple[int, Float]] = {}

    @property
    def living(self) -> Collection[int]:
        """The numbers that a face of the next frame may get again."""
        return self._last_seen

    def update(
        self, frame: int, boxes_xyxy_px: Sequence[Float], camera_px: Float = _UNMOVED
    ) -> list[int]:
        """Return the track number of each box of a frame.

        Args:
            frame: number of the frame; greater than in the call before.
            boxes_xyxy_px: (N, 4), or a list of (4,).
            camera_px: (2,) where the picture lies, see `common.faces.camera_motion`.
        """
        oldest = frame - self._settings.max_gap - 1
        self._last_seen = {n: seen for n, seen in self._last_seen.items() if seen[0] >= oldest}
        known = list(self._last_seen)
        boxes = np.asarray(boxes_xyxy_px, np.float64).reshape(-1, 4) - np.tile(camera_px, 2)
        last_boxes = np.array([self._last_seen[number][1] for number in known]).reshape(-1, 4)
        joined = best_pairs(iou(last_boxes, boxes), self._settings.min_iou)
        numbers = [known[joined[i]] if i in joined else self._new() for i in range(len(boxes))]
        self._last_seen |= {n: (frame, box) for n, box in zip(numbers, boxes, strict=True)}
        return numbers

    def _new(self) -> int:
        self._num_tracks += 1
        return self._num_tracks - 1


def face_tracks(
    frames: Iterable[tuple[int, Image]],
    detect: Callable[[Image], list[Face]],
    settings: TrackingSettings,
) -> list[BoxTrack]:
    """Return the tracks of all faces in order of appearance, in one pass; no image is kept.

    The frames are (number, (H, W, 3) uint8 RGB), numbers ascending.
    """
    tracker, motion = FaceTracker(settings), CameraMotion()
    found: dict[int, list[tuple[int, Face]]] = {}
    camera_px: dict[int, Float] = {}
    for frame, image in frames:
        faces = detect(image)
        camera_px[frame] = motion.follow(image)
        boxes = [face.bbox_xyxy_px for face in faces]
        numbers = tracker.update(frame, boxes, camera_px[frame])
        for number, face in zip(numbers, faces, strict=True):
            found.setdefault(number, []).append((frame, face))
    return [
        _box_track(number, seen, camera_px)
        for number, seen in sorted(found.items())
        if len(seen) >= settings.min_length
        and max(face.confidence for _, face in seen) >= settings.min_peak_confidence
    ]


def _box_track(
    number: int, seen: list[tuple[int, Face]], camera_px: Mapping[int, Float]
) -> BoxTrack:
    places: list[Float] = []
    for frame in range(seen[0][0], seen[-1][0] + 1):
        # A frame that could not be decoded lies where the one before does.
        places.append(camera_px[frame] if frame in camera_px else places[-1])
    return BoxTrack(
        number=number,
        frames=np.array([frame for frame, _ in seen], np.int32),
        boxes_xyxy_px=np.array([face.bbox_xyxy_px for _, face in seen], np.float64),
        confidences=np.array([face.confidence for _, face in seen], np.float64),
        camera_px=np.array(places),
    )


def iou(boxes: Float, others: Float) -> Float:
    """Return the intersection over union (N, M) of boxes (N, 4) with others (M, 4), xyxy.

    Empty boxes overlap nothing.
    """
    low = np.maximum(boxes[:, None, :2], others[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    shared = np.prod(np.maximum(high - low, 0), axis=-1)
    areas, other_areas = (
        np.prod(np.maximum(some[:, 2:] - some[:, :2], 0), axis=-1) for some in (boxes, others)
    )
    union = areas[:, None] + other_areas[None] - shared
    return np.divide(shared, union, out=np.zeros(shared.shape), where=union > 0)


def best_pairs(overlaps: Float, least: float) -> dict[int, int]:
    """Return column -> row of the best pairs, the greatest overlap first; each is taken once.

    Equal overlaps (N, M) are taken in order of rows, then columns, those below `least` not at all.
    """
    order = np.argsort(-overlaps, axis=None, kind="stable")
    pairs: dict[int, int] = {}
    for row, column in zip(*np.unravel_index(order, overlaps.shape), strict=True):
        if overlaps[row, column] < least:
            break
        if column not in pairs and row not in pairs.values():
            pairs[int(column)] = int(row)
    return pairs
