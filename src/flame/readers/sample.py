"""What a reader of a raw data set hands to preprocessing."""

from dataclasses import dataclass

from common.arrays import Float, Image
from common.geometry import GazeFrame
from common.preprocessing.recipe import GroupReader


@dataclass(frozen=True)
class RawSample:
    """One labelled image of a raw data set.

    Attributes:
        sample_id: unique in the data set, without ``/``.
        subject: the person's id in the data set.
        group: unit of storage and of resumption: a subject's photos or a video session.
        index: 0-based number in the group's order; decides the parity eye.
        image: (H, W, 3) uint8 RGB.
        gaze: (2,) [yaw, pitch] in radians, viewer frame.
        head_pose: (3,) [pitch, yaw, roll] in radians if the data set brings it.
        landmarks: (112,) eye landmarks in pixels of `image` if the data set brings them.
        eye_pair_xyxy_px: the part of `image` that is a pair of eyes, in whole pixels, if the data
            set brings those.
        camera_matrix: (3, 3) intrinsics in pixels of `image` if known.
        face_hint_px: (2,) where the labelled person's eyes project; picks among several faces.
        frame: 0-based frame of the video the image comes from.
        part: "train", "val" or "test" if the data set's own lists say so.
    """

    sample_id: str
    subject: str
    group: str
    index: int
    image: Image
    gaze: Float
    head_pose: Float | None = None
    landmarks: Float | None = None
    eye_pair_xyxy_px: tuple[int, int, int, int] | None = None
    camera_matrix: Float | None = None
    face_hint_px: Float | None = None
    frame: int | None = None
    part: str | None = None


class RawReader(GroupReader[RawSample]):
    """Reads one raw data set of gaze angles; its groups are sorted.

    Attributes:
        gaze_convention: how its gaze angles are defined; data sets of different conventions are
            never mixed silently.
        gaze_frame: of its gaze angles and head poses; likewise.
    """

    gaze_convention: str
    gaze_frame: GazeFrame = "camera"
