"""``frames.parquet``: the rows of all groups in one table, for `gazepose.store.table`.

It is written again at the end of every run, because ``sharpness_p`` ranks an image among all
images of its part. Where the data set's prior files bring it for a part, theirs is kept.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl

from common.arrays import Bools, Float
from common.files.atomic import partial_path
from common.files.foreign_tables import TABLE_ERRORS, named_table_errors
from common.files.sealed import read_table, scan_table, seal, table_metadata
from common.store.packs import REPAIR
from common.store.reading import GroupPaths, stored_groups, table_stamp
from gazepose.store.columns import SCHEMA, with_newer_columns
from gazepose.store.ranking import fit_gaussian, gaussian_cdf
from gazepose.store.reading import FRAMES_FILE, REMEDY

LOG = logging.getLogger(__name__)
Gaussian = tuple[float, float]

_RANK = "sharpness_p"
_PRIOR_RANK = "prior_sharpness_p"
_COLUMNS = [name for name in SCHEMA if name != _PRIOR_RANK]
_RANKED_BY = ("part", "track_index", "sharpness", _PRIOR_RANK)


def write_frames(store_dir: Path, sharpness_stride: int) -> None:
    """Write the table of all groups that are there, whole or not at all.

    A Gaussian is fitted to the sharpness of each part's images. Frames off the stride, without an
    image, and those of which a part's prior file says nothing, have no rank (NaN). The groups are
    gone through one by one: memory holds one of them and every image's sharpness.

    Args:
        store_dir: the store's folder.
        sharpness_stride: every n-th frame of a track is ranked by its sharpness. The original's
            tool goes through the keyframes of one stride (3 in train, 13 in val); then most
            neighbours of a keyframe have no rank and are never dropped. 1 ranks all.

    Raises:
        ValueError: If a group's table is damaged; says what to do.
    """
    while True:
        tables = _tables(store_dir)
        with partial_path(store_dir / FRAMES_FILE) as partial:
            _write(partial, store_dir, list(tables), sharpness_stride)
            seal(partial)
        # Another shard may have made a group, or made it again, since.
        if _tables(store_dir) == tables:
            return


def frames_are_sound(store_dir: Path) -> bool:
    """Return whether the table is there, can be read, and holds the groups as they are now.

    Groups whose own tables are damaged count as they are in it.
    """
    try:
        frames = with_newer_columns(scan_table(store_dir / FRAMES_FILE, REMEDY))
        found = _digests(frames, [*_COLUMNS, _RANK])
    except TABLE_ERRORS:
        return False
    return found == _digests_of_groups(store_dir, found)


def _tables(store_dir: Path) -> dict[str, tuple[int, int] | None]:
    """Return the stamps of the groups that are there."""
    return {group: table_stamp(store_dir, group) for group in stored_groups(store_dir)}


def _write(path: Path, store_dir: Path, groups: Sequence[str], stride: int) -> None:
    sharpness = _Sharpness(stride)
    filled = [group for group in groups if sharpness.add(_read_rows(store_dir, group))]
    gaussians = sharpness.gaussians()
    empty = pl.LazyFrame(schema=SCHEMA)
    rows = pl.concat([empty, *(_scan_rows(store_dir, group) for group in filled)])
    ranks = pl.struct(_RANKED_BY).map_batches(
        lambda columns: _ranks(columns.struct.unnest(), gaussians, stride),
        return_dtype=pl.Float64,
        is_elementwise=True,
    )
    rows.with_columns(ranks.alias(_RANK)).drop(_PRIOR_RANK).sink_parquet(
        path, metadata=table_metadata()
    )


@dataclass
class _Sharpness:
    """The sharpness of the images that are ranked, by part."""

    stride: int
    values: dict[str, list[Float]] = field(default_factory=dict)
    known: set[str] = field(default_factory=set)

    def add(self, rows: pl.DataFrame) -> bool:
        """Take a group's rows; return whether there are any."""
        parts = rows["part"].to_numpy()
        is_counted = _is_counted(rows, self.stride)
        has_rank = rows[_PRIOR_RANK].is_not_nan().to_numpy()
        for part in rows["part"].unique():
            is_part = parts == part
            found = rows["sharpness"].to_numpy()[is_part & is_counted]
            self.values.setdefault(part, []).append(found)
            if has_rank[is_part].any():
                self.known.add(part)
        return rows.height > 0

    def gaussians(self) -> dict[str, Gaussian]:
        """Return mean and standard deviation of the parts whose ranks no prior file brings."""
        fitted = {}
        for part in sorted(set(self.values) - self.known):
            values = np.concatenate(self.values[part])
            fitted[part] = mean, std = fit_gaussian(values)
            LOG.info("%s: sharpness %.5f +- %.5f of %d images", part, mean, std, len(values))
        return fitted


def _ranks(rows: pl.DataFrame, gaussians: dict[str, Gaussian], stride: int) -> pl.Series:
    ranks = rows[_PRIOR_RANK].to_numpy().copy()
    parts, is_counted = rows["part"].to_numpy(), _is_counted(rows, stride)
    for part, gaussian in gaussians.items():
        chosen = np.flatnonzero((parts == part) & is_counted)
        ranks[chosen] = gaussian_cdf(rows["sharpness"].to_numpy()[chosen], *gaussian)
    return pl.Series(ranks)


def _is_counted(rows: pl.DataFrame, stride: int) -> Bools:
    on_stride = rows["track_index"].to_numpy() % stride == 0
    return np.asarray(on_stride & rows["sharpness"].is_not_nan().to_numpy())


def _digests_of_groups(store_dir: Path, of_damaged: dict[str, int]) -> dict[str, int]:
    digests: dict[str, int] = {}
    for group in stored_groups(store_dir):
        try:
            rows = _read_rows(store_dir, group)
        except ValueError:
            digests |= {name: digest for name, digest in of_damaged.items() if name == group}
        else:
            digests |= _digests(rows.lazy(), _COLUMNS)
    return digests


def _digests(rows: pl.LazyFrame, read: Sequence[str]) -> dict[str, int]:
    """Return a number for each group that has rows: another number, another content.

    All of `read` is decoded, if only to see that it can be.
    """
    sums = {"digest": _COLUMNS, "decoded": read}
    found = rows.group_by("group_name").agg(
        pl.struct(columns).hash().sum().alias(name) for name, columns in sums.items()
    )
    digests = found.collect(engine="streaming")
    return dict(digests.select("group_name", "digest").iter_rows())


def _read_rows(store_dir: Path, group: str) -> pl.DataFrame:
    path = GroupPaths(store_dir, group).table
    table = read_table(path, REPAIR)
    with named_table_errors(path, REPAIR):
        rows = _typed(table.lazy(), group).collect() if table.height else None
    return pl.DataFrame(schema=SCHEMA) if rows is None else rows


def _scan_rows(store_dir: Path, group: str) -> pl.LazyFrame:
    return _typed(pl.scan_parquet(GroupPaths(store_dir, group).table, glob=False), group)


def _typed(rows: pl.LazyFrame, group: str) -> pl.LazyFrame:
    named = with_newer_columns(rows).with_columns(pl.lit(group).alias("group_name"))
    return named.select(pl.col(name).cast(kind) for name, kind in SCHEMA.items())
