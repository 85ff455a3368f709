"""Tracks as preprocessing makes them of a video, while its frames still come.

Memory holds the living tracks' latest detections, however long the video.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from common.arrays import Float
from common.faces.found_faces import FoundFace, FoundFrame
from common.faces.tracking import BoxTrack, TrackingSettings
from gazepose.readers.detected_clip import STEADY, filled_tracks
from gazepose.readers.tracks import TrackRule


class SteadyBox(NamedTuple):
    """Where a face is in a frame.

    Attributes:
        frame: its number.
        track_id: whose.
        bbox_xyxy_px: (4,) tight and steady, see `filled_tracks`.
        mesh: as found; None where it was not.
        is_interpolated: the face was not found in this frame.
    """

    frame: int
    track_id: str
    bbox_xyxy_px: Float
    mesh: Float | None
    is_interpolated: bool


class SteadyTracks:
    """Boxes of tracks, each once the frames around it are known.

    A track counts from where it has enough detections; what is asked for before has it not.

    Args:
        tracking: which tracks count, and which gaps are filled.
        detector_name: whose boxes they are.

    Attributes:
        reach_frames: so many frames after a frame may decide on its boxes: the end of a gap that
            begins there, and the detections that the median there asks for.
    """

    def __init__(self, tracking: TrackingSettings, detector_name: str) -> None:
        self.reach_frames = tracking.max_gap + 1 + STEADY // 2
        self._tracking = tracking
        self._detector_name = detector_name
        self._rule = TrackRule(max_gap=tracking.max_gap)
        self._tracks: dict[int, _Track] = {}
        self._camera_px: dict[int, Float] = {}

    def add(self, found: FoundFrame[Any]) -> None:
        """Take the next frame."""
        self._camera_px[found.frame.number] = found.camera_px
        for face in found.faces:
            self._tracks.setdefault(face.track, _Track()).add(found.frame.number, face)

    def boxes(self, first: int, last: int) -> Iterator[SteadyBox]:
        """Yield all boxes of the frames from `first` to `last`, track by track.

        Each call goes on where the one before ended: earlier frames are forgotten.
        """
        for number, track in sorted(self._tracks.items()):
            if track.counts(self._tracking):
                yield from self._boxes_of(number, track, first, last)
        # What a median or a line from here on may still ask for.
        self._forget(last - 3 * (self._tracking.max_gap + 1))

    def _boxes_of(self, number: int, track: "_Track", first: int, last: int) -> Iterator[SteadyBox]:
        frames = sorted(track.faces)
        if frames[-1] < first or frames[0] > last:
            return
        faces = [track.faces[frame] for frame in frames]
        found = BoxTrack(
            number,
            np.array(frames, np.int32),
            np.array([face.bbox_xyxy_px for face in faces]),
            np.array([face.confidence for face in faces]),
            self._camera_between(frames[0], frames[-1]),
        )
        for filled in filled_tracks(found, self._detector_name, self._rule):
            for index in np.flatnonzero((filled.frames >= first) & (filled.frames <= last)):
                frame, box = int(filled.frames[index]), filled.boxes_xyxy_px[index]
                here = track.faces.get(frame)
                mesh = None if here is None else here.mesh
                yield SteadyBox(frame, filled.track_id, box, mesh, here is None)

    def _camera_between(self, first: int, last: int) -> Float:
        """Return where the picture lay (L, 2); a damaged frame lies where the one before does."""
        places: list[Float] = []
        for frame in range(first, last + 1):
            places.append(self._camera_px[frame] if frame in self._camera_px else places[-1])
        return np.array(places)

    def _forget(self, before: int) -> None:
        self._camera_px = {n: px for n, px in self._camera_px.items() if n >= before}
        for track in self._tracks.values():
            track.faces = {n: face for n, face in track.faces.items() if n >= before}
        self._tracks = {n: track for n, track in self._tracks.items() if track.faces}


class _Track:
    """One track's latest detections, and what all of them say."""

    def __init__(self) -> None:
        self.faces: dict[int, FoundFace] = {}
        self._num_found = 0
        self._peak_confidence = 0.0

    def add(self, frame: int, face: FoundFace) -> None:
        self.faces[frame] = face
        self._num_found += 1
        self._peak_confidence = max(self._peak_confidence, face.confidence)

    def counts(self, tracking: TrackingSettings) -> bool:
        is_long = self._num_found >= tracking.min_length
        return is_long and self._peak_confidence >= tracking.min_peak_confidence
