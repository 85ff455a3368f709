"""The packed face store: every image of a group in one blob, everything else in one table.

::

    store_dir/
      store.json               what made it; another recipe is refused
      groups.json              the groups that the raw data have, there or not
      packs/<group>.pack       encoded images, one after the other
      tables/<group>.parquet   one row an image: the caller's columns + place and checksum
      skipped/<group>.json     what could not be used, and why
      failed/<group>.txt       why the group could not be made, or made again; gone when it is

A table's file also says what its group was made from, where its maker can tell. An image has its
checksum in the table, every other file carries its own (`common.files.sealed`). What is read here
and damaged ends in a ValueError that says what to do.

`common.store.writing` makes the store, `common.media.image_codec` says what a pack's bytes are.
"""

import logging
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from common.arrays import Image
from common.files.foreign_files import MAX_NAME_BYTES, is_name
from common.files.foreign_tables import named_table_errors
from common.files.form import ANY, TEXT, Each, Maybe, check_form
from common.files.sealed import read_json, read_metadata, read_text
from common.files.sealed import read_table as read_sealed_table
from common.listing import counted_names
from common.media.image_codec import decode_image
from common.store.packs import REPAIR, Packs

LOG = logging.getLogger(__name__)
# In the metadata of a group's table.
MADE_FROM = "made_from"
_LARGEST_PACK_BYTES, _LARGEST_IMAGE_BYTES = 1 << 50, 1 << 28
_SKIPPED = {"sample_id": TEXT, "group": Maybe(TEXT), "reason": TEXT}
_PLACE_COLUMNS = ("offset", "num_bytes", "crc32")


class EmptyStoreError(ValueError):
    """A store in which there is no face (yet)."""


class GroupPaths:
    """Where one group's files lie.

    Raises:
        ValueError: If no file can have the group's name.
    """

    def __init__(self, store_dir: Path, group: str) -> None:
        if not is_name(group):
            raise ValueError(
                f"a group is called {group[:MAX_NAME_BYTES]!r}, expected a name that a file can "
                f"have, without / and leading dot, of at most {MAX_NAME_BYTES} bytes: correct it "
                "in the raw data (split list, folder, subject)"
            )
        self.pack = store_dir / "packs" / f"{group}.pack"
        self.table = store_dir / "tables" / f"{group}.parquet"
        self.skipped = store_dir / "skipped" / f"{group}.json"
        self.failed = store_dir / "failed" / f"{group}.txt"
        self.lock = store_dir / "packs" / f".{group}.lock"


class FaceStore:
    """A finished or growing store, read row by row; safe to pickle into loader workers.

    Attributes:
        table: all rows of all groups in the order of the groups' names, with the column
            ``group_name``; None of it travels with a pickled copy, only the places do.

    Raises:
        EmptyStoreError: If there is no face in the folder.
        ValueError: If a table is damaged.
    """

    def __init__(self, store_dir: str | Path) -> None:
        self.store_dir = Path(store_dir)
        groups = stored_groups(self.store_dir)
        if not groups:
            raise EmptyStoreError(
                f"no face store in {self.store_dir}: run `python preprocess.py data=...` first"
            )
        tables = [read_table(self.store_dir, group) for group in groups]
        filled = [table for table in tables if table.height]
        if not filled:
            raise EmptyStoreError(f"{self.store_dir} holds no usable face; see its skipped/ folder")
        with named_table_errors(self.store_dir / "tables", REPAIR):
            self.table = pl.concat(filled, how="diagonal_relaxed", rechunk=True)
        self._packs = Packs([GroupPaths(self.store_dir, group).pack for group in groups])
        number_of = {group: number for number, group in enumerate(groups)}
        self._pack_of_row = np.array(
            [number_of[name] for name in self.table["group_name"]], dtype=np.int32
        )
        self._places = self.table.select(_PLACE_COLUMNS).to_numpy().astype(np.int64)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "table": None}

    def __len__(self) -> int:
        return len(self._places)

    def image(self, row: int) -> Image:
        """Return the (H, W, 3) uint8 RGB image of a row.

        Raises:
            ValueError: If its bytes are damaged or gone; says how to rebuild the group.
        """
        pack = int(self._pack_of_row[row])
        offset, num_bytes, crc32 = (int(value) for value in self._places[row])
        (data,) = self._packs.read(pack, [(offset, num_bytes, crc32)])
        image = None if data is None else decode_image(data)
        if image is None:
            raise ValueError(
                f"{self._packs.paths[pack]}: row {row} (offset {offset}) is damaged; {REPAIR}"
            )
        return image


def stored_groups(store_dir: Path) -> list[str]:
    """Return the names of all complete groups, sorted."""
    return [path.stem for path in _files(store_dir / "tables", ".parquet")]


def table_stamp(store_dir: Path, group: str) -> tuple[int, int] | None:
    """Return what another table of a group would have another of; None without one."""
    try:
        stat = GroupPaths(store_dir, group).table.stat()
    except FileNotFoundError:
        return None
    return stat.st_mtime_ns, stat.st_ino


def missing_groups(store_dir: Path) -> list[str]:
    """Return the groups that the raw data have and the store has not, in the raw data's order.

    None are missing where no preprocessing has said which there are.
    """
    path = store_dir / "groups.json"
    if not path.exists():
        return []
    done = set(stored_groups(store_dir))
    groups = _read_list(path, "groups", "another run writes it")
    check_form(groups, [TEXT], str(path))
    return [group for group in groups if group not in done]


def warn_if_incomplete(store_dir: Path) -> None:
    """Warn of groups that preprocessing was to make and the store has not."""
    missing = missing_groups(store_dir)
    if missing:
        LOG.warning(
            "%s is not complete: %s; another run of preprocess.py makes them, report.txt has the "
            "reasons of those that failed",
            *(store_dir, counted_names(missing, "groups missing")),
        )


def read_made_from(store_dir: Path, group: str) -> str | None:
    """Return what a group was made from, as `common.preprocessing.recipe.StoreRecipe` says it.

    None if it was not told, or the table is damaged.
    """
    try:
        return read_metadata(GroupPaths(store_dir, group).table, REPAIR).get(MADE_FROM)
    except ValueError:
        return None


def read_recipe(store_dir: Path) -> dict[str, Any]:
    """Return what made the store."""
    path = store_dir / "store.json"
    remedy = "if the settings are those that made the store, remove it and preprocess again"
    recipe: dict[str, Any] = read_json(path, remedy)
    check_form(recipe, Each(ANY), str(path))
    return recipe


def read_skipped(store_dir: Path, groups: Collection[str] | None = None) -> list[dict[str, str]]:
    """Return the items, of all groups or of these, that could not be used."""
    lists = _files(store_dir / "skipped", ".json")
    wanted = [path for path in lists if groups is None or path.stem in groups]
    return [item for path in wanted for item in _read_skipped(path)]


def read_failures(store_dir: Path) -> dict[str, str]:
    """Return why groups could not be made, by group: of all runs and shards that failed at one.

    A group that failed to be made again is among them, and still there. Of a damaged reason it is
    said that it is.
    """
    return {path.stem: _reason(path) for path in _files(store_dir / "failed", ".txt")}


def _reason(path: Path) -> str:
    try:
        return read_text(path, "another run tries again")
    except ValueError as error:
        return str(error)


def _files(folder: Path, suffix: str) -> list[Path]:
    """Return a folder's files, sorted; half-written ones are hidden."""
    return sorted(path for path in folder.glob(f"*{suffix}") if not path.name.startswith("."))


def read_table(store_dir: Path, group: str) -> pl.DataFrame:
    """Return a group's rows, with its name in the column ``group_name``."""
    path = GroupPaths(store_dir, group).table
    table = read_sealed_table(path, REPAIR)
    with named_table_errors(path, REPAIR):
        _check_places(table)
    return table.with_columns(pl.lit(group).alias("group_name"))


def _check_places(table: pl.DataFrame) -> None:
    """Refuse a table that does not say where its images lie; one without a row need not."""
    if not table.height:
        return
    places = table.select(pl.col(_PLACE_COLUMNS).cast(pl.Int64))
    is_place = pl.all_horizontal(
        pl.col("offset").is_between(0, _LARGEST_PACK_BYTES),
        pl.col("num_bytes").is_between(0, _LARGEST_IMAGE_BYTES),
        pl.col("crc32").is_not_null(),
    )
    if not places.select(is_place.fill_null(value=False).all()).item():
        raise ValueError("it has images where none can be")


def _read_skipped(path: Path) -> list[dict[str, str]]:
    items = _read_list(path, "skipped", f"{REPAIR}; or remove it")
    check_form(items, [_SKIPPED], str(path))
    return items


def _read_list(path: Path, name: str, remedy: str) -> list[Any]:
    """Return a file's list; before files had seals the list was the file."""
    content = read_json(path, remedy)
    found = content.get(name) if isinstance(content, dict) else content
    if not isinstance(found, list):
        raise ValueError(f"{path} is damaged (it holds no list of {name}); {remedy}")
    return found
