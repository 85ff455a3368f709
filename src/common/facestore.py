"""The packed face store: every image of a group in one blob, everything else in one table.

::

    store_dir/
      store.json               what made it; another recipe is refused
      packs/<group>.pack       encoded images, one after the other
      tables/<group>.parquet   one row an image: the caller's columns + place and checksum
      skipped/<group>.json     what could not be used, and why

A group is written under temporary names; its table is renamed last, so a group either is there
whole or not at all, and an interrupted run goes on with the groups that lack a table.
"""

from __future__ import annotations

import hashlib
import json
import os
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import cv2
import numpy as np
import numpy.typing as npt
import polars as pl

from common.atomic import write_text_atomically

Image = npt.NDArray[np.uint8]
CODECS = ("jpeg", "png")
_PLACE_COLUMNS = ("offset", "num_bytes", "crc32")
_REPAIR = "`python preprocess.py data=... mode=check` lists and rebuilds damaged groups"


def encode_image(image: Image, codec: str, quality: int) -> bytes:
    """Encode an (H, W, 3) uint8 RGB image as ``jpeg`` (quality 1..100) or lossless ``png``."""
    if codec not in CODECS:
        raise ValueError(f"codec is {codec!r}, expected one of {CODECS}")
    parameters = [cv2.IMWRITE_JPEG_QUALITY, quality] if codec == "jpeg" else []
    suffix = ".jpg" if codec == "jpeg" else ".png"
    done, encoded = cv2.imencode(suffix, cv2.cvtColor(image, cv2.COLOR_RGB2BGR), parameters)
    assert done
    return bytes(encoded)


def decode_image(data: bytes) -> Image | None:
    """Decode to (H, W, 3) uint8 RGB; None if the bytes are no image."""
    if not data:
        return None
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    return None if image is None else cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


class GroupWriter:
    """Writes one group; nothing is visible before the ``with`` block ends without an error."""

    def __init__(self, store_dir: Path, group: str) -> None:
        self._paths = _GroupPaths(store_dir, group)
        self._rows: list[dict[str, Any]] = []
        self._offset = 0
        self._sha256 = hashlib.sha256()
        self._file: IO[bytes] | None = None

    def __enter__(self) -> Self:
        self._paths.make_folders()
        self._file = self._paths.partial_pack.open("wb")
        return self

    def add(self, encoded: bytes, row: Mapping[str, Any]) -> None:
        """Append one encoded image and its row of the table."""
        assert self._file is not None
        self._file.write(encoded)
        self._sha256.update(encoded)
        place = {
            "offset": self._offset,
            "num_bytes": len(encoded),
            "crc32": zlib.crc32(encoded),
        }
        self._rows.append({**row, **place})
        self._offset += len(encoded)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._file is not None
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        if kind is None:
            self._commit()
        else:
            self._paths.partial_pack.unlink()

    def _commit(self) -> None:
        os.replace(self._paths.partial_pack, self._paths.pack)
        digest = self._sha256.hexdigest()
        rows = [{**row, "pack_sha256": digest} for row in self._rows]
        # A group of which nothing could be used still gets its (empty) table: it is done.
        schema = None if rows else {"pack_sha256": pl.String}
        table = pl.DataFrame(rows, schema=schema, infer_schema_length=None)
        table.write_parquet(self._paths.partial_table)
        os.replace(self._paths.partial_table, self._paths.table)


class EmptyStoreError(ValueError):
    """A store in which there is no face (yet)."""


class FaceStore:
    """A finished or growing store, read row by row; safe to pickle into loader workers.

    Args:
        store_dir: the store's folder.

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
        tables = [_read_table(self.store_dir, group) for group in groups]
        filled = [table for table in tables if table.height]
        if not filled:
            raise EmptyStoreError(f"{self.store_dir} holds no usable face; see its skipped/ folder")
        self.table = pl.concat(filled, how="diagonal_relaxed", rechunk=True)
        self._packs = [_GroupPaths(self.store_dir, group).pack for group in groups]
        number_of = {group: number for number, group in enumerate(groups)}
        self._pack_of_row = np.array(
            [number_of[name] for name in self.table["group_name"]], dtype=np.int32
        )
        self._places = self.table.select(_PLACE_COLUMNS).to_numpy().astype(np.int64)
        self._descriptors: dict[int, int] = {}

    def __getstate__(self) -> dict[str, Any]:
        state = self.__dict__.copy()
        state.update(table=None, _descriptors={})
        return state

    def __len__(self) -> int:
        return len(self._places)

    def image(self, row: int) -> Image:
        """Return the (H, W, 3) uint8 RGB image of a row.

        Raises:
            ValueError: If its bytes are damaged or gone; says how to rebuild the group.
        """
        pack = int(self._pack_of_row[row])
        offset, num_bytes, crc32 = (int(value) for value in self._places[row])
        try:
            data = os.pread(self._descriptor(pack), num_bytes, offset)
        except OSError as error:
            raise ValueError(f"{self._packs[pack]}: {error.strerror}; {_REPAIR}") from error
        image = decode_image(data) if zlib.crc32(data) == crc32 else None
        if image is None:
            raise ValueError(
                f"{self._packs[pack]}: row {row} (offset {offset}) is damaged; {_REPAIR}"
            )
        return image

    def _descriptor(self, pack: int) -> int:
        # Opened where it is used: a descriptor must not cross a process border.
        if pack not in self._descriptors:
            self._descriptors[pack] = os.open(self._packs[pack], os.O_RDONLY)
        return self._descriptors[pack]


def stored_groups(store_dir: Path) -> list[str]:
    """Return the names of all complete groups, sorted."""
    tables = (store_dir / "tables").glob("*.parquet")
    return sorted(path.stem for path in tables if not path.name.startswith("."))


def damaged_groups(store_dir: Path) -> list[str]:
    """Return the groups whose table is damaged, or whose pack is missing or unlike its checksum."""
    return [group for group in stored_groups(store_dir) if not _is_intact(store_dir, group)]


def remove_group(store_dir: Path, group: str) -> None:
    """Forget a group, its table first, so that the next run makes it again."""
    paths = _GroupPaths(store_dir, group)
    for path in (paths.table, paths.pack, paths.skipped):
        path.unlink(missing_ok=True)


def claim_store(store_dir: Path, recipe: Mapping[str, Any]) -> None:
    """Write down what makes the store, or check that the same recipe made what is there.

    Raises:
        ValueError: If the store was made by another recipe; names the differing settings.
    """
    path = store_dir / "store.json"
    text = json.dumps(dict(recipe), indent=2) + "\n"
    if not path.exists():
        write_text_atomically(path, text)
        return
    # As json has it: a tuple is a list there.
    found, recipe = json.loads(path.read_text()), json.loads(text)
    differing = [key for key in {*found, *recipe} if found.get(key) != recipe.get(key)]
    if differing:
        changes = "; ".join(
            f"{key}: {found.get(key)!r} there, {recipe.get(key)!r} now" for key in sorted(differing)
        )
        raise ValueError(
            f"{store_dir} was made with other settings ({changes}). Choose another folder "
            "with data.store_dir=..., or remove this one"
        )


def read_recipe(store_dir: Path) -> dict[str, Any]:
    """Return what made the store."""
    recipe: dict[str, Any] = json.loads((store_dir / "store.json").read_text())
    return recipe


def write_skipped(store_dir: Path, group: str, skipped: Sequence[Mapping[str, str]]) -> None:
    """Write the list of a group's items that could not be used."""
    paths = _GroupPaths(store_dir, group)
    paths.make_folders()
    write_text_atomically(paths.skipped, json.dumps(list(skipped), indent=1) + "\n")


def read_skipped(store_dir: Path) -> list[dict[str, str]]:
    """Return all items that could not be used, of all groups."""
    lists = sorted((store_dir / "skipped").glob("*.json"))
    return [item for path in lists for item in json.loads(path.read_text())]


def _read_table(store_dir: Path, group: str) -> pl.DataFrame:
    path = _GroupPaths(store_dir, group).table
    try:
        table = pl.read_parquet(path)
    except pl.exceptions.PolarsError as error:
        raise ValueError(f"{path} is damaged ({error}); {_REPAIR}") from error
    return table.with_columns(pl.lit(group).alias("group_name"))


def _is_intact(store_dir: Path, group: str) -> bool:
    paths = _GroupPaths(store_dir, group)
    try:
        table = _read_table(store_dir, group)
    except ValueError:
        return False
    if not table.height:
        return True
    if not paths.pack.exists():
        return False
    with paths.pack.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    return found == table["pack_sha256"][0]


class _GroupPaths:
    """Where one group's files lie."""

    def __init__(self, store_dir: Path, group: str) -> None:
        assert "/" not in group
        assert not group.startswith(".")
        self.pack = store_dir / "packs" / f"{group}.pack"
        self.table = store_dir / "tables" / f"{group}.parquet"
        self.skipped = store_dir / "skipped" / f"{group}.json"
        # Two shards never hold the same group, but two impatient users might.
        self.partial_pack = self.pack.with_name(f".{group}.{os.getpid()}.pack")
        self.partial_table = self.table.with_name(f".{group}.{os.getpid()}.parquet")

    def make_folders(self) -> None:
        for path in (self.pack, self.table, self.skipped):
            path.parent.mkdir(parents=True, exist_ok=True)
