"""OpenFace's results for a data set: a folder of csv files, one a photo or one a video."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from common.faces.openface import OpenFaceTable, read_openface_csv
from flame.sample import RawSample

Float = npt.NDArray[np.floating[Any]]


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

    Args:
        openface_dir: the folder.

    Raises:
        ValueError: If there is no csv in it.
    """

    def __init__(self, openface_dir: Path) -> None:
        if not any(openface_dir.glob("*.csv")):
            raise ValueError(f"no csv file in {openface_dir}; expected OpenFace 2's output there")
        self._dir = openface_dir

    def find(self, sample: RawSample, bbox_xyxy_px: Float) -> OpenFaceResult:
        """Return the most confident result whose eyes lie in the face's box.

        Raises:
            LookupError: If there is none, with the reason.
            ValueError: If a csv is not OpenFace 2's.
        """
        table, frame = self._table(sample)
        tracked = np.flatnonzero((table.frame == frame) & table.is_success)
        rows = [row for row in tracked if _eyes_inside(table.landmarks[row], bbox_xyxy_px)]
        if not rows:
            raise LookupError(f"OpenFace found no face there ({table.path.name})")
        best = max(rows, key=lambda row: float(table.confidence[row]))
        return OpenFaceResult(
            table.landmarks[best], table.head_pose[best], float(table.confidence[best])
        )

    def _table(self, sample: RawSample) -> tuple[OpenFaceTable, int]:
        own = self._dir / f"{sample.sample_id}.csv"
        if own.is_file():
            return read_openface_csv(own), 0
        shared = self._dir / f"{sample.group}.csv"
        if shared.is_file() and sample.frame is not None:
            return _read_once(shared), sample.frame
        raise LookupError("no OpenFace csv")


@lru_cache(maxsize=2)
def _read_once(path: Path) -> OpenFaceTable:
    return read_openface_csv(path)


def _eyes_inside(landmarks: Float, bbox_xyxy_px: Float) -> bool:
    centre = landmarks.reshape(2, -1).mean(axis=1)
    return bool((centre >= bbox_xyxy_px[:2]).all() and (centre <= bbox_xyxy_px[2:]).all())
