"""What a reader of a raw data set hands to preprocessing: clips, their tracks, their faces."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from common.preprocessing.findings import Finding
from common.store.skipped import Skipped

Float = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True)
class FaceTrack:
    """One person's face over a stretch of a clip, gaps filled.

    Attributes:
        track_id: unique in the clip, without ``/``.
        person_id: the person's id in the clip.
        frames: (N,) int32 frame numbers as annotated, ascending; a number comes twice only where
            the published rule keeps it so.
        boxes_xyxy_px: (N, 4) float64 left, top, right, bottom in full-frame pixels.
        is_interpolated: (N,) bool, True where the annotations hold no box.
        labels: (N,) int8: 1 looks at the camera, 0 does not, -1 unknown.
    """

    track_id: str
    person_id: str
    frames: npt.NDArray[np.int32]
    boxes_xyxy_px: npt.NDArray[np.float64]
    is_interpolated: npt.NDArray[np.bool_]
    labels: npt.NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.frames)


@dataclass(frozen=True)
class Clip:
    """A stretch of video and its tracks.

    Attributes:
        clip_uid: the clip's id, without ``/``.
        part: train, val or test.
        video_path: the video that shows it: the clip's own file or the whole recording.
        first_video_frame: decoded frame (0-based) = `first_video_frame` + annotated frame. It may
            be negative, where an offset is asked for; no track then has a frame before the video.
        tracks: in the annotations' order.
        skipped: boxes that could not be used, with the reason.
    """

    clip_uid: str
    part: str
    video_path: Path
    first_video_frame: int
    tracks: tuple[FaceTrack, ...]
    skipped: tuple[Skipped, ...]


@dataclass(frozen=True)
class PreparedFace:
    """A face image as it is stored, and what was measured on it.

    Attributes:
        encoded: the image as bytes; a file that the data set brings is kept as it is.
        sharpness: variance of the Laplacian over all pixels and channels, before encoding.
        points: (5, 3) [x, y, score], crop-normalised (0 and 1 are the image's edges); nose, left
            eye, right eye, mouth left, mouth right, left and right the subject's. None if they
            were not found or not asked for.
        head_pose_deg: (3,) [yaw, pitch, roll] as Hopenet counts them; None as for `points`.
    """

    encoded: bytes
    sharpness: float
    points: Float | None
    head_pose_deg: Float | None


class FacePreparer(Protocol):
    """Cuts, measures and encodes faces; made by preprocessing, used by readers."""

    def from_frame(self, frame: npt.NDArray[np.uint8], bbox_xyxy_px: Float) -> PreparedFace | None:
        """Return the face in a box of a frame (H, W, 3) RGB; None if it lies outside."""

    def from_file(self, encoded: bytes) -> PreparedFace:
        """Return a face image that the data set brings.

        Raises:
            ValueError: If the bytes are no image, or not of the size the nets take.
        """


@dataclass(frozen=True)
class RawFace:
    """One row of the store: a face in one frame of a track.

    Attributes:
        clip_uid: the clip.
        track_id: of `FaceTrack`.
        person_id: of `FaceTrack`.
        part: train, val or test.
        frame: number as annotated.
        track_index: 0-based position inside the track; every n-th is a keyframe.
        label: 1 looks at the camera, 0 does not, -1 unknown.
        bbox_xyxy_px: (4,) in full-frame pixels, NaN where unknown.
        is_interpolated: the annotations hold no box here.
        unique_id: the test set's name of the face, else empty.
        face: None if there is no image, then the row stays all the same, because strides count
            it.
        head_pose_deg: (3,) [yaw, pitch, roll] from a prior file.
        points: (5, 3) as in `PreparedFace`, from a prior file.
        sharpness_p: Gaussian CDF of the sharpness, [0, 1], from a prior file.
        is_filtered: a prior file says to drop the keyframe; None if it says nothing.
    """

    clip_uid: str
    track_id: str
    person_id: str
    part: str
    frame: int
    track_index: int
    label: int
    bbox_xyxy_px: Float
    is_interpolated: bool
    unique_id: str
    face: PreparedFace | None
    head_pose_deg: Float | None = None
    points: Float | None = None
    sharpness_p: float | None = None
    is_filtered: bool | None = None


class LamReader(Protocol):
    """Reads one raw data set of looking-at-me, group by group; cheap to pickle.

    Attributes:
        name: the data set's name, as in ``conf/data``.
    """

    name: str

    @property
    def settings(self) -> dict[str, Any]:
        """Return what a row depends on, as plain values."""

    def groups(self) -> list[str]:
        """Return all groups, which are clips.

        Raises:
            ValueError: If the folder does not hold this data set.
        """

    def count(self, group: str) -> int:
        """Return about how many items `faces` yields for a group; for progress bars."""

    def faces(self, group: str, preparer: FacePreparer) -> Iterator[RawFace | Skipped]:
        """Yield the group's rows in track order, frames ascending; damaged ones as `Skipped`.

        Readers of videos hand their `Clip` to `gazepose.readers.clip_faces.clip_faces`.
        """

    def fingerprint(self, group: str) -> str | None:
        """Return what the group's rows depend on beside the settings, in few words or digests.

        That is its part, its boxes and labels, and the size of its video. With another text the
        group is made again; with None, as where the video is gone, it stays as it was made.

        Raises:
            ValueError: If the group's annotations are missing or damaged.
        """

    def doctor(self) -> list[Finding]:
        """Say what is missing or inconsistent, without decoding the videos."""
