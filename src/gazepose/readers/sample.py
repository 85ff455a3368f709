"""What a reader of a raw data set hands to preprocessing: rows, and where their images lie."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from common.arrays import Float
from common.preprocessing.recipe import GroupReader
from gazepose.readers.json_prior.files import PriorFiles


class Frame(NamedTuple):
    """A picture that shows more than the face: a frame of a video, or a photo.

    Attributes:
        path: the video or the photo.
        number: of the video's frame, 0-based, as it is decoded; None for a photo.
    """

    path: Path
    number: int | None = None


@dataclass(frozen=True, slots=True)
class RawFace:
    """One row of the store: a face in one frame of a track.

    Attributes:
        clip_uid: the clip, without ``/``; or the photo, as its data set names it.
        part: train, val or test.
        track_id: unique in the group of the store, without ``/`` in a clip.
        frame: number as annotated.
        track_index: 0-based position inside the track; every n-th is a keyframe.
        label: 1 looks at the camera, 0 does not, -1 unknown.
        bbox_xyxy_px: (4,) in full-frame pixels, NaN where unknown.
        image: where the face is seen: in the box of a `Frame`, or in a file that shows it alone
            and is stored as it is. None if there is no image; then the row stays all the same,
            because strides count it.
        person_id: the person's id in the clip, or in the data set if it is of photos; empty
            where unknown.
        is_interpolated: the annotations hold no box here.
        unique_id: the test set's name of the face, else empty.
        head_pose_deg: (3,) [yaw, pitch, roll] from a prior file.
        points: (5, 3) as in `gazepose.preprocessing.preparation.PreparedFace`, from a prior file.
        sharpness_p: Gaussian CDF of the sharpness, [0, 1], from a prior file.
        is_filtered: a prior file says to drop the keyframe; None if it says nothing.
        is_photo: the clip is one photo: of a group there are many, in any of the parts.
        source: which of the collections that a data set is made of; None if it is of one.
    """

    clip_uid: str
    part: str
    track_id: str
    frame: int
    track_index: int
    label: int
    bbox_xyxy_px: Float
    image: Frame | Path | None
    person_id: str = ""
    is_interpolated: bool = False
    unique_id: str = ""
    head_pose_deg: Float | None = None
    points: Float | None = None
    sharpness_p: float | None = None
    is_filtered: bool | None = None
    is_photo: bool = False
    source: str | None = None

    @property
    def sample_id(self) -> str:
        """Return what reports call it: clip, track and frame; in the test set the file's name.

        Of a photo it is the track, which is called by the photo.
        """
        if self.is_photo:
            return self.track_id
        name = self.image.stem if self.unique_id and isinstance(self.image, Path) else self.frame
        return f"{self.clip_uid}:{self.track_id}:{name}"


class RawReader(GroupReader[RawFace]):
    """Reads one raw data set of looking-at-me; a group is a clip, or many photos.

    Rows come in track order, frames ascending, and only say where their images lie: preprocessing
    opens them. Readers of videos yield the rows of a `gazepose.readers.clip.Clip`; a group's
    fingerprint has its part, its boxes and labels, and the size of its video.
    """

    def prior_files(self) -> Mapping[str, PriorFiles]:
        """Return the prior files by part, there or not; ValueError if it is no such data set.

        Empty by default: the data set has none.
        """
        return {}

    def prior_files_of(self, group: str) -> PriorFiles | None:
        """Return the prior files of a group's part; None by default."""
        return None
