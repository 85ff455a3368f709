"""The labels of a face store as arrays; needs no torch, so that preprocessing does not."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from common.arrays import Float


@dataclass(frozen=True)
class GazeLabels:
    """The columns of a face store that training needs, as arrays over its N rows.

    Attributes:
        gaze: (N, 2) float32 [yaw, pitch] in radians.
        head_pose: (N, 3) float32 [pitch, yaw, roll] in radians.
        landmarks: (N, 112) pixels of the face image.
        index: (N,) frame number in the group.
    """

    gaze: Float
    head_pose: Float
    landmarks: Float
    index: npt.NDArray[np.int64]

    @classmethod
    def from_table(cls, table: pl.DataFrame) -> "GazeLabels":
        """Take the columns of a store's table.

        Raises:
            ValueError: If it has no landmarks or head poses, or a column is damaged.
        """
        if not has_inputs(table):
            raise ValueError(
                "the store's faces have no landmarks or no head pose, so they serve gaze "
                "pretraining only (train.py model=gaze360 data=gaze_faces data.name=...). For a "
                "FLAME net make another store: preprocess.py data=... data.store_dir=NEW_FOLDER "
                "data.preprocessor.preparation.landmarks=mesh "
                "data.preprocessor.preparation.head_pose=mesh"
            )
        pose = ["head_pitch_rad", "head_yaw_rad", "head_roll_rad"]
        try:
            return cls(
                gaze=table.select("gaze_yaw_rad", "gaze_pitch_rad").to_numpy().astype(np.float32),
                head_pose=table.select(pose).to_numpy().astype(np.float32),
                landmarks=np.array(table["landmarks_px"].to_list(), dtype=np.float64),
                index=table["index"].to_numpy().astype(np.int64),
            )
        # A column that is missing, or holds something else.
        except (pl.exceptions.PolarsError, TypeError, ValueError) as error:
            raise ValueError(
                f"the store's labels are damaged ({error}): `preprocess.py ... mode=repair` makes "
                "damaged groups again"
            ) from error


def has_inputs(table: pl.DataFrame) -> bool:
    """Return whether all faces of a store's table have landmarks and a head pose."""
    needed = ("landmarks_px", "head_pitch_rad")
    return all(name in table.columns and not table[name].null_count() for name in needed)
