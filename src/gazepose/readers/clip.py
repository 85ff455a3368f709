"""A stretch of video and the tracks of faces in it, and the rows that it makes."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from common.arrays import Bools
from common.store.skipped import Skipped
from gazepose.readers.frame_images import frame_image
from gazepose.readers.sample import Frame, RawFace


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
    is_interpolated: Bools
    labels: npt.NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.frames)

    def rows(
        self, clip_uid: str, part: str, image_of: Callable[[int], Frame | Path]
    ) -> Iterator[RawFace]:
        """Yield a row a frame; `image_of` says where the image of an annotated frame lies."""
        for index, frame in enumerate(self.frames.tolist()):
            yield RawFace(
                clip_uid=clip_uid,
                part=part,
                track_id=self.track_id,
                frame=frame,
                track_index=index,
                label=int(self.labels[index]),
                bbox_xyxy_px=self.boxes_xyxy_px[index],
                image=image_of(frame),
                person_id=self.person_id,
                is_interpolated=bool(self.is_interpolated[index]),
            )


@dataclass(frozen=True)
class Clip:
    """A stretch of video and its tracks.

    Attributes:
        clip_uid: the clip's id, without ``/``.
        part: train, val or test.
        video_path: the video that shows it: the clip's own file or the whole recording; or a
            folder with its frames, see `gazepose.readers.frame_images`.
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

    def rows(self) -> Iterator[RawFace | Skipped]:
        """Yield what was skipped, then a row a frame of every track."""
        yield from self.skipped
        image_of = self._image if self.video_path.is_dir() else self._frame
        for track in self.tracks:
            yield from track.rows(self.clip_uid, self.part, image_of)

    def _frame(self, annotated: int) -> Frame:
        return Frame(self.video_path, self.first_video_frame + annotated)

    def _image(self, annotated: int) -> Frame:
        return Frame(frame_image(self.video_path, self.first_video_frame + annotated))
