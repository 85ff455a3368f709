"""OpenFace's results for a data set: a folder of csv files, one a photo or one a video."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from common.arrays import Float
from common.faces.openface import OpenFaceTable, read_openface_csv
from flame.readers.sample import RawSample


@dataclass(frozen=True)
class OpenFaceResult:
    """What OpenFace found for one face.

    Attributes:
        landmarks: (112,) pixels of the photo.
        head_pose: (3,) [pitch, yaw, roll] in radians, viewer frame.
        confidence: in [0, 1].
    """

    landmarks: Float
    head_pose: Float
    confidence: float


class OpenFaceFolder:
    """Finds a sample's row.

    ``<sample_id>.csv`` (FaceLandmarkImg) is looked for first, then ``<group>.csv``
    (FeatureExtraction on the session's video), whose row is that of the sample's frame.

    Raises:
        ValueError: If there is no csv in the folder.
    """

    def __init__(self, openface_dir: Path) -> None:
        if not any(openface_dir.glob("*.csv")):
            raise ValueError(f"no csv file in {openface_dir}; expected OpenFace 2's output there")
        self._dir = openface_dir

    def find(self, sample: RawSample, bbox_xyxy_px: Float) -> OpenFaceResult:
        """Return the most confident result whose eyes lie in the face's box.

        Raises:
            LookupError: If there is none, with the reason.
        """
        table, frame = self._table(sample)
        wanted = np.flatnonzero(table.frame == frame)
        tracked = [row for row in wanted if table.is_success[row]]
        rows = [row for row in tracked if _eyes_inside(table.landmarks[row], bbox_xyxy_px)]
        if not rows:
            unreadable = [row for row in wanted.tolist() if row in table.problems]
            if unreadable:
                raise LookupError(table.problems[unreadable[0]])
            raise LookupError(f"OpenFace found no face there ({table.path.name})")
        best = max(rows, key=lambda row: float(table.confidence[row]))
        return OpenFaceResult(
            table.landmarks[best], table.head_pose[best], float(table.confidence[best])
        )

    def _table(self, sample: RawSample) -> tuple[OpenFaceTable, int]:
        own = self._dir / f"{sample.sample_id}.csv"
        if own.is_file():
            return _found(_read(own)), 0
        shared = self._dir / f"{sample.group}.csv"
        if shared.is_file() and sample.frame is not None:
            return _found(_read_once(shared)), sample.frame
        raise LookupError("no OpenFace csv")


def _found(table: OpenFaceTable | str) -> OpenFaceTable:
    if isinstance(table, str):
        raise LookupError(table)
    return table


def _read(path: Path) -> OpenFaceTable | str:
    """Return the table, or why there is none."""
    try:
        return read_openface_csv(path)
    except (ValueError, OSError) as error:
        return f"unreadable OpenFace csv: {error}"


@lru_cache(maxsize=2)
def _read_once(path: Path) -> OpenFaceTable | str:
    # A fault is kept too: a session's samples would else each read the whole file again.
    return _read(path)


def _eyes_inside(landmarks: Float, bbox_xyxy_px: Float) -> bool:
    centre = landmarks.reshape(2, -1).mean(axis=1)
    return bool((centre >= bbox_xyxy_px[:2]).all() and (centre <= bbox_xyxy_px[2:]).all())
