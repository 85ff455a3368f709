"""Scores of a test beside what is known of their samples: one row a prediction."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from torch import Tensor, cat

from common.arrays import Array
from common.files.foreign_files import parse_json
from common.files.sealed import read_metadata, write_table
from gazepose.store.table import LamTable

PREDICTIONS_SUFFIX = "_predictions.parquet"
TEST_AGAIN = "test again (python predict.py run=RUN split=PART)"
_DESCRIBED = "described"
_OF_THE_TABLE = (
    *("group_name", "track_id", "unique_id", "frame", "x1", "y1", "x2", "y2"),
    *("sharpness", "sharpness_p", "head_yaw_deg", "head_pitch_deg", "head_roll_deg"),
    *("head_pose_source", "landmark_source", "person_id", "photo", "source"),
)

# Of a photo: what intervals resample as a whole.
_CLUSTER = pl.when(pl.col("person_id") != "").then("person_id").otherwise("photo")


def predictions_table(outputs: Sequence[Mapping[str, Tensor]], table: LamTable) -> pl.DataFrame:
    """Return one row a prediction, in the order of the data's table, of `EyeContactOutput`s.

    Returns:
        ``uid``: the clip; of a photo the person, or the photo where nobody knows the person;
        ``trackid``, ``frame``, ``unique_id`` (empty without one), ``part``;
        ``label`` (1 looks at the camera, 0 not, -1 unknown), ``score``;
        ``x1 y1 x2 y2`` in pixels of the video; ``sharpness``, ``sharpness_p``;
        ``head_yaw_deg``, ``head_pitch_deg``, ``head_roll_deg``, ``head_pose_source``,
        ``landmark_source``; ``person_id``, ``photo``, ``source`` as in `gazepose.store.columns`;
        ``track_length``: frames of the whole track. NaN or null is unknown.
    """
    rows = _column(outputs, "row").astype(np.int64)
    order = np.argsort(rows, kind="stable")
    rows = rows[order]
    lengths = np.diff(table.track_starts)[table.track[rows]]
    return (
        table.select(rows, _OF_THE_TABLE)
        .with_columns(
            pl.when(pl.col("photo").is_null()).then("group_name").otherwise(_CLUSTER).alias("uid"),
            pl.Series("part", table.parts(rows), dtype=pl.String),
            pl.Series("track_length", lengths),
            pl.Series("label", _column(outputs, "label")[order].astype(np.int8)),
            pl.Series("score", _column(outputs, "score")[order].astype(np.float64)),
        )
        .rename({"track_id": "trackid"})
        .select("uid", pl.exclude("group_name", "uid"))
    )


def write_predictions(predictions: pl.DataFrame, described: Mapping[str, Any], path: Path) -> None:
    """Write `predictions_table`'s, whole or not at all, with what was tested, as plain values.

    The path ends with `PREDICTIONS_SUFFIX`.
    """
    write_table(predictions, path, {_DESCRIBED: json.dumps(described)})


def read_described(path: Path) -> dict[str, Any]:
    """Return what was tested, of a file of `write_predictions`.

    Raises:
        ValueError: If it is no such file.
    """
    text = read_metadata(path, TEST_AGAIN).get(_DESCRIBED)
    described = None if text is None else parse_json(text, f"{path}: what was tested")
    if not isinstance(described, dict) or not isinstance(described.get("protocol"), dict):
        raise ValueError(
            f"{path} does not say how it was tested, as the file of a test does; test again"
        )
    return described


def _column(outputs: Sequence[Mapping[str, Tensor]], name: str) -> Array:
    values: Array = cat([output[name] for output in outputs]).numpy()
    return values
