"""The columns of a store's tables: every value with its source.

========================  ===================================================================
column                    meaning
========================  ===================================================================
part                      train, val or test
track_id person_id        as annotated; ``unique_id`` is the test set's name of the face
frame track_index         frame number as annotated; position inside the track
label                     1 looks at the camera, 0 does not, -1 unknown
x1 y1 x2 y2               face box in frame pixels, NaN where unknown
is_interpolated           the annotations hold no box here
head_yaw_deg ...          head angles as Hopenet counts them (`gazepose.preprocessing.head_angles`),
                          NaN where unknown; ``head_pose_source`` is mesh, hopenet or prior
point_x0 ... score4       five points (`gazepose.preprocessing.five_points`), NaN where not found;
                          ``landmark_source`` is mesh, pose or prior
sharpness                 variance of the Laplacian, NaN without an image
prior_sharpness_p         Gaussian CDF of the sharpness from a prior file, NaN where none says
is_filtered               a prior file says to drop the frame as a keyframe
========================  ===================================================================

`common.store.writing` adds each image's place and checksum: no bytes, no image. What all
groups need to be known for, ``sharpness_p``, comes with `gazepose.store.writing`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from gazepose.preprocessing.preparation import NONE, PRIOR, LamPreparation, PreparedFace
from gazepose.readers.sample import RawFace
from gazepose.store.reading import HEAD_POSE_COLUMNS, POINT_COLUMNS

Float = npt.NDArray[np.floating[Any]]
Columns = dict[str, Any]

BOX_COLUMNS = ("x1", "y1", "x2", "y2")
# As the file of all frames has them; a group's own table is less strict.
SCHEMA = pl.Schema(
    {
        **dict.fromkeys(("group_name", "part", "track_id", "person_id", "unique_id"), pl.String),
        "frame": pl.Int32,
        "track_index": pl.Int32,
        "label": pl.Int8,
        **dict.fromkeys(BOX_COLUMNS, pl.Float64),
        "is_interpolated": pl.Boolean,
        "offset": pl.Int64,
        "num_bytes": pl.Int32,
        "crc32": pl.UInt32,
        **dict.fromkeys(HEAD_POSE_COLUMNS, pl.Float64),
        "head_pose_source": pl.String,
        **dict.fromkeys(POINT_COLUMNS, pl.Float64),
        "landmark_source": pl.String,
        "sharpness": pl.Float64,
        "prior_sharpness_p": pl.Float64,
        "is_filtered": pl.Boolean,
    }
)


def row_of(raw: RawFace, face: PreparedFace | None, settings: LamPreparation) -> Columns:
    """Return the row of a face; its place in the pack is not in it."""
    return {
        "part": raw.part,
        "track_id": raw.track_id,
        "person_id": raw.person_id,
        "unique_id": raw.unique_id,
        "frame": raw.frame,
        "track_index": raw.track_index,
        "label": raw.label,
        **_named(BOX_COLUMNS, raw.bbox_xyxy_px),
        "is_interpolated": raw.is_interpolated,
        **_head_pose_columns(raw, face, settings.head_pose),
        **_point_columns(raw, face, settings.landmarks),
        "sharpness": math.nan if face is None else face.sharpness,
        "prior_sharpness_p": math.nan if raw.sharpness_p is None else raw.sharpness_p,
        "is_filtered": bool(raw.is_filtered),
    }


def _head_pose_columns(raw: RawFace, face: PreparedFace | None, source: str) -> Columns:
    measured = None if face is None else face.head_pose_deg
    angles = _from_source(source, raw.head_pose_deg, measured)
    columns = _named(HEAD_POSE_COLUMNS, np.full(3, np.nan) if angles is None else angles)
    return {**columns, "head_pose_source": None if angles is None else source}


def _point_columns(raw: RawFace, face: PreparedFace | None, source: str) -> Columns:
    measured = None if face is None else face.points
    points = _from_source(source, raw.points, measured)
    columns = _named(POINT_COLUMNS, np.full(15, np.nan) if points is None else points.reshape(-1))
    return {**columns, "landmark_source": None if points is None else source}


def _from_source(source: str, prior: Float | None, measured: Float | None) -> Float | None:
    if source == NONE:
        return None
    return prior if source == PRIOR else measured


def _named(names: tuple[str, ...], values: Float) -> Columns:
    return dict(zip(names, (float(value) for value in values), strict=True))
