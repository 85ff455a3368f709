"""Columbia Gaze as samples of gaze angles.

What the photos' names say (`common.media.columbiagaze`) are gaze angles as they stand.
`flame.preprocessing.label_check` tests their signs on the photos themselves.
"""

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import numpy as np

from common.media.columbiagaze import ColumbiaPhoto, labelled_photos, photo_paths, subject_dirs
from common.media.photo import UnreadablePhotoError, read_photo
from common.store.skipped import Skipped
from flame.readers.sample import RawReader, RawSample

# Canon's APS-C sensors are 22.3 mm wide.
_SENSOR_WIDTH_MM = 22.3


class ColumbiaGazeReader(RawReader):
    """Reads Columbia Gaze, one subject after the other.

    A subject's photos are numbered (`RawSample.index`) by P, then V, then H, each from low to
    high; a damaged photo keeps its number, so that it never changes another photo's parity eye.
    gaze = [H, V], head_pose = [0, P, 0]. Camera intrinsics come from EXIF where a photo has it.

    Args:
        raw_dir: the folder of the subject folders, or the folder it was unpacked into.
    """

    name = "columbiagaze"
    gaze_convention = "columbia_target_angles"

    def __init__(self, raw_dir: Path) -> None:
        self.raw_dir = Path(raw_dir)

    def groups(self) -> list[str]:
        """Return the subjects that have photos, sorted.

        Raises:
            ValueError: If the folder does not hold Columbia Gaze.
        """
        return list(self._paths)

    def count(self, group: str) -> int:
        """Return how many photos a subject has, those that `read` skips included."""
        return len(self._paths[group])

    def read(self, group: str) -> Iterator[RawSample | Skipped]:
        """Yield a subject's photos in order, then those whose names are no labels as skipped."""
        photos, faults = labelled_photos(self._paths[group], group)
        for index, photo in enumerate(photos):
            yield self._read_photo(photo, index)
        for path, reason in faults.items():
            yield Skipped(path.name, group, group, reason)

    @cached_property
    def _paths(self) -> dict[str, list[Path]]:
        dirs = subject_dirs(self.raw_dir)
        return {subject: photo_paths(folder) for subject, folder in dirs.items()}

    def _read_photo(self, photo: ColumbiaPhoto, index: int) -> RawSample | Skipped:
        label = photo.label
        try:
            image, camera_matrix = read_photo(photo.path, _SENSOR_WIDTH_MM)
        except UnreadablePhotoError as error:
            return Skipped(photo.path.stem, label.subject, label.subject, str(error))
        return RawSample(
            sample_id=photo.path.stem,
            subject=label.subject,
            group=label.subject,
            index=index,
            image=image,
            gaze=np.deg2rad([label.yaw_deg, label.pitch_deg]),
            head_pose=np.deg2rad([0.0, label.head_yaw_deg, 0.0]),
            camera_matrix=camera_matrix,
        )
