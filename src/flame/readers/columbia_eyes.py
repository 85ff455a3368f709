"""Columbia Gaze as pairs of eyes: crops of its photos, named as these are."""

from dataclasses import replace
from functools import cached_property
from pathlib import Path

import numpy as np

from common.media.columbiagaze import ColumbiaPhoto, photos_by_subject
from common.store.skipped import Skipped
from flame.readers.columbiagaze import ColumbiaGazeReader
from flame.readers.sample import RawSample

# Around each eye of a pair 300 px wide, an eye crop of 120 px must find room.
FRAME_WIDTH_PX, FRAME_HEIGHT_PX = 384, 240


class ColumbiaEyesReader(ColumbiaGazeReader):
    """Reads crops ``0001_2m_-15P_10V_-5H.jpg`` of any folders below `raw_dir`, by subject.

    Numbers and angles are those of the photos (`ColumbiaGazeReader`). An image is the crop,
    unscaled, in the middle of a grey frame of its mean brightness.
    """

    name = "columbia_eyes"

    @cached_property
    def _paths(self) -> dict[str, list[Path]]:
        return photos_by_subject(self.raw_dir)

    def _read_photo(self, photo: ColumbiaPhoto, index: int) -> RawSample | Skipped:
        crop = super()._read_photo(photo, index)
        return crop if isinstance(crop, Skipped) else _framed(crop)


def _framed(crop: RawSample) -> RawSample | Skipped:
    height, width = crop.image.shape[:2]
    if width > FRAME_WIDTH_PX or height > FRAME_HEIGHT_PX:
        reason = (
            f"crop of {width} x {height}, expected {FRAME_WIDTH_PX} x {FRAME_HEIGHT_PX} at most"
        )
        return Skipped(crop.sample_id, crop.subject, crop.group, reason)
    x0, y0 = (FRAME_WIDTH_PX - width) // 2, (FRAME_HEIGHT_PX - height) // 2
    x1, y1 = x0 + width, y0 + height
    image = np.full((FRAME_HEIGHT_PX, FRAME_WIDTH_PX, 3), int(crop.image.mean()), np.uint8)
    image[y0:y1, x0:x1] = crop.image
    # A crop's intrinsics are not the camera's.
    return replace(crop, image=image, eye_pair_xyxy_px=(x0, y0, x1, y1), camera_matrix=None)
