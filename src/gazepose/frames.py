"""``frames.parquet``: the rows of all groups in one table, for `gazepose.table`.

It is written again at the end of every run, because ``sharpness_p`` ranks an image among all
images of its part. Where the data set's prior files bring it for a part, theirs is kept.
"""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import polars as pl

from common.atomic import partial_path
from common.facestore import GroupPaths, stored_groups
from gazepose.face_rows import SCHEMA
from gazepose.frames_file import FRAMES_FILE
from gazepose.quality import fit_gaussian, gaussian_cdf

LOG = logging.getLogger(__name__)


def write_frames(store_dir: Path, sharpness_stride: int) -> pl.DataFrame:
    """Write the table of all groups that are there, whole or not at all.

    Args:
        store_dir: the store's folder.
        sharpness_stride: every n-th frame of a track is ranked by its sharpness.

    Returns:
        The table, in the order of the groups' names; empty if there is no group.
    """
    while True:
        groups = stored_groups(store_dir)
        frames = with_sharpness_p(_all_rows(store_dir, groups), sharpness_stride)
        with partial_path(store_dir / FRAMES_FILE) as partial:
            frames.write_parquet(partial)
        # Another shard may have finished a group, and its table, since.
        if stored_groups(store_dir) == groups:
            return frames


def frames_are_sound(store_dir: Path) -> bool:
    """Return whether the table is there and can be read."""
    try:
        pl.read_parquet(store_dir / FRAMES_FILE)
    except (pl.exceptions.PolarsError, OSError):
        return False
    return True


def with_sharpness_p(frames: pl.DataFrame, stride: int) -> pl.DataFrame:
    """Return the rows with the column ``sharpness_p`` in place of ``prior_sharpness_p``.

    A Gaussian is fitted to the images of each part. Frames off the stride, without an image, and
    those of which a part's prior file says nothing, have NaN.

    Args:
        frames: with the columns of `gazepose.face_rows.SCHEMA`.
        stride: every n-th frame of a track counts. The original's tool goes through the
            keyframes of one stride (3 in train, 13 in val); then most neighbours of a keyframe
            have no rank and are never dropped. 1 ranks all.
    """
    parts = frames["part"].to_numpy()
    ranks = frames["prior_sharpness_p"].to_numpy().copy()
    sharpness = frames["sharpness"].to_numpy()
    counts = ~np.isnan(sharpness) & (frames["track_index"].to_numpy() % stride == 0)
    for part in frames["part"].unique().sort():
        is_part = parts == part
        if np.isnan(ranks[is_part]).all():
            rows = np.flatnonzero(is_part & counts)
            mean, std = fit_gaussian(sharpness[rows])
            ranks[rows] = gaussian_cdf(sharpness[rows], mean, std)
            LOG.info("%s: sharpness %.5f +- %.5f of %d images", part, mean, std, len(rows))
    return frames.drop("prior_sharpness_p").with_columns(pl.Series("sharpness_p", ranks))


def _all_rows(store_dir: Path, groups: list[str]) -> pl.DataFrame:
    tables = [_rows(store_dir, group) for group in groups]
    return pl.concat([pl.DataFrame(schema=SCHEMA), *tables], rechunk=True)


def _rows(store_dir: Path, group: str) -> pl.DataFrame:
    path = GroupPaths(store_dir, group).table
    try:
        table = pl.read_parquet(path)
    except pl.exceptions.PolarsError as error:
        raise ValueError(
            f"{path} is damaged ({error}); `python preprocess.py data=... mode=check` removes it, "
            "and the next run makes it again"
        ) from error
    if not table.height:
        return pl.DataFrame(schema=SCHEMA)
    named = table.with_columns(pl.lit(group).alias("group_name"))
    return named.select(pl.col(name).cast(kind) for name, kind in SCHEMA.items())
