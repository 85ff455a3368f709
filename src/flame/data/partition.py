"""The rows of a face store by the parts of a split."""

import logging
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import polars as pl

from common.files.sealed import write_json
from common.listing import listed
from flame.data.splits import (
    PARTS,
    Split,
    cross_person,
    load_split,
    person_fold,
    random_split,
)
from flame.readers import metadata

LOG = logging.getLogger(__name__)


def choose_split(
    split: str,
    table: pl.DataFrame,
    fractions: Sequence[float],
    seed: int,
    num_folds: int | None = None,
    fold: int | None = None,
) -> Split:
    """Return a published or own split, or draw one of the store's people or sessions.

    `split` is a name or path as for `load_split`, ``own_lists``, ``cross_person``, ``random`` or
    ``person_folds``; `fractions` and `seed` are of a drawn one, the last two as for `person_fold`.

    Raises:
        ValueError: If there is no such split, or it cannot be drawn.
    """
    if split == "person_folds":
        return person_fold(
            table["subject"], num_folds=num_folds, fold=fold, seed=seed, fractions=fractions
        )
    if split == "cross_person":
        return cross_person(table["subject"], seed=seed, fractions=fractions)
    if split == "own_lists":
        return own_lists(table)
    if split == "random":
        return random_split(table["group_name"], seed=seed, fractions=fractions)
    return load_split(split)


def own_lists(table: pl.DataFrame) -> Split:
    """Return the split that the data set's own lists make of a store's groups.

    Raises:
        ValueError: If the data set brings no lists.
    """
    listed_rows = table.drop_nulls("part") if "part" in table.columns else table.clear()
    if listed_rows.is_empty():
        raise ValueError(
            "the data set brings no lists of its own: type data.datamodule.split=cross_person"
        )
    groups = listed_rows.select("part", "group_name").unique().sort("group_name")
    parts = {
        part: tuple(groups.filter(pl.col("part") == part)["group_name"].to_list()) for part in PARTS
    }
    return Split("own_lists", "the data set's own lists", "session", **parts)


def with_parts(table: pl.DataFrame, split: Split) -> pl.DataFrame:
    """Return the store's table with the columns ``row`` and ``part``."""
    part_of = {name: part for part in PARTS for name in getattr(split, part)}
    parts = [part_of.get(name) for name in table[split.column]]
    return table.with_row_index("row").with_columns(pl.Series("part", parts, dtype=pl.String))


def log_gaps(name: str, table: pl.DataFrame, split: Split) -> None:
    """Warn of what a split names and the store lacks; tell what the split leaves out."""
    there = set(table[split.column])
    for part in PARTS:
        wanted: tuple[str, ...] = getattr(split, part)
        missing = [one for one in wanted if one not in there]
        if missing:
            LOG.warning(
                "%s: the store lacks %d of the %d %ss that split %r has in %s: %s",
                *(name, len(missing), len(wanted), split.unit, split.name, part, listed(missing)),
            )
    unmatched = sorted(there - set(split.names()))
    if unmatched:
        LOG.info(
            "%s: split %r leaves out %d %ss of the store: %s",
            *(name, split.name, len(unmatched), split.unit, listed(unmatched)),
        )


def write_split(path: Path, split: Split, table: pl.DataFrame) -> None:
    """Write a split as json, or in FLAME's form as the folders of ``images/`` in each part.

    Those are the groups of the store's table, by its column ``part``.

    Raises:
        ValueError: If the file is neither ``.json`` nor ``.pkl``.
    """
    if not metadata.is_pickle(path):
        write_json(path, asdict(split))
        return
    names = {part: table.filter(pl.col("part") == part)["group_name"] for part in PARTS}
    metadata.write_split(path, {part: sorted(set(groups)) for part, groups in names.items()})


def names_in(table: pl.DataFrame, split: Split) -> str:
    """Return the store's people or sessions, as a split of that unit would name them."""
    return listed(sorted(set(table[split.column])))
