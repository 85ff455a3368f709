"""A video as a clip: tracks from the face detector, as Ego4D has them from annotators.

Detectors differ in what they call a face. The nets were trained on Ego4D's boxes, which are cut
without margin; `TIGHT` turns a detector's box into one from ear to ear and hairline to chin.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from common.arrays import Float, Image
from common.faces.analysis import FaceAnalyzer
from common.faces.tracking import BoxTrack, TrackingSettings
from common.faces.tracking import face_tracks as detected_tracks
from common.media.video import DamagedVideoError, read_frames
from common.store.skipped import Skipped
from gazepose.readers.clip import Clip, FaceTrack
from gazepose.readers.tracks import RawTrack, TrackRule, face_tracks

# Odd.
STEADY = 5
# Where the tight face box begins and ends in a detector's, as fractions of its width and height:
# left, top, right, bottom. Median extent of the face mesh of 255 faces of two real videos
# (MediaPipe) and 238 of real photos (CenterFace), which look at most 25 degrees to the side.
# Detectors that are not listed draw tight boxes themselves.
TIGHT: Mapping[str, tuple[float, float, float, float]] = MappingProxyType(
    {"mediapipe": (0.03, -0.02, 0.93, 1.02), "centerface": (-0.01, 0.09, 1.0, 0.99)}
)


def video_clip(
    path: Path,
    clip_uid: str,
    analyzer: FaceAnalyzer,
    tracking: TrackingSettings,
    on_frame: Callable[[], object] = lambda: None,
) -> Clip:
    """Return a whole video as a clip, its tracks from the face detector.

    Short gaps in a track are filled with boxes in between, as those of Ego4D's are, but on a line
    that goes along with the camera.

    Args:
        path: of the video.
        clip_uid: its name.
        analyzer: finds the faces.
        tracking: when faces of two frames are one.
        on_frame: called once a frame, for progress.

    Raises:
        ValueError: If it cannot be opened as a video.
    """
    damages: list[Skipped] = []

    def sound_frames() -> Iterator[tuple[int, Image]]:
        try:
            for frame in read_frames(path):
                on_frame()
                yield frame
        except DamagedVideoError as error:
            damages.append(Skipped(clip_uid, "", clip_uid, str(error)))

    found = detected_tracks(sound_frames(), analyzer.detect, tracking)
    rule = TrackRule(max_gap=tracking.max_gap)
    tracks = tuple(
        filled for track in found for filled in filled_tracks(track, analyzer.detector_name, rule)
    )
    return Clip(clip_uid, "test", path, 0, tracks, tuple(damages))


def tight_boxes(boxes_xyxy_px: Float, detector_name: str) -> npt.NDArray[np.float64]:
    """Return a detector's boxes (N, 4) xyxy px as tight ones of faces; if not of `TIGHT`, as is."""
    boxes = np.array(boxes_xyxy_px, np.float64)
    if detector_name not in TIGHT:
        return boxes
    sides = np.tile(boxes[:, 2:] - boxes[:, :2], 2)
    return np.tile(boxes[:, :2], 2) + np.array(TIGHT[detector_name]) * sides


def steady_boxes(boxes_xyxy_px: Float) -> npt.NDArray[np.float64]:
    """Return a track's boxes (N, 4) with every edge the median of `STEADY` detections.

    A detector that looks at several scales changes its mind from frame to frame: of one face in
    a real video every twelfth box was a quarter wider or narrower than the one before. A median
    leaves out such boxes and follows whoever moves one way.
    """
    reach = STEADY // 2
    padded = np.pad(np.asarray(boxes_xyxy_px, np.float64), ((reach, reach), (0, 0)), mode="edge")
    return np.median(sliding_window_view(padded, STEADY, axis=0), axis=-1)


def filled_tracks(track: BoxTrack, detector_name: str, rule: TrackRule) -> Iterator[FaceTrack]:
    """Yield a track with tight, steady boxes, short gaps filled; it is split over longer ones."""
    # Where the camera stands still a median and a line between two boxes are right.
    camera_px = np.tile(track.camera_px, 2)
    places = track.frames - track.frames[0]
    boxes = steady_boxes(tight_boxes(track.boxes_xyxy_px, detector_name) - camera_px[places])
    xywh = np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1)
    name = str(track.number)
    raw = RawTrack(name, [name] * len(boxes), track.frames, xywh)
    for filled in face_tracks(raw, {}, rule)[0]:
        yield replace(
            filled,
            boxes_xyxy_px=filled.boxes_xyxy_px + camera_px[filled.frames - track.frames[0]],
            labels=np.full(len(filled), -1, np.int8),
        )
