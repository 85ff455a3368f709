"""A face -> its row of the store's tables."""

import math
from typing import Any

import numpy as np

from common.arrays import Float
from gazepose.preprocessing.preparation import NONE, PRIOR, PreparationSettings, PreparedFace
from gazepose.readers.sample import RawFace
from gazepose.store.columns import BOX_COLUMNS, HEAD_POSE_COLUMNS, POINT_COLUMNS

Columns = dict[str, Any]


def row_of(raw: RawFace, face: PreparedFace | None, settings: PreparationSettings) -> Columns:
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
        "photo": raw.clip_uid if raw.is_photo else None,
        "source": raw.source,
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
