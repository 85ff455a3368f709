"""Writing a face store, group by group; `common.store.reading` says what lies where.

A group is written under temporary names; its table is renamed last, so a group either is there
whole or not at all, and an interrupted run goes on with the groups that lack a table.
"""

import hashlib
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any, Self

import polars as pl

from common.files.atomic import flush, partial_path, remove_leftovers
from common.files.locks import locked, shared
from common.files.sealed import seal, table_metadata, write_json, write_text
from common.store.reading import MADE_FROM, GroupPaths, read_recipe
from common.store.skipped import Skipped

# An encoded image and its row of the table.
Row = tuple[bytes, Mapping[str, Any]]
_WORK_LOCK = ".lock"
_FOLDERS = ("packs", "tables", "skipped", "failed")


class GroupWriter:
    """Writes one group; nothing is visible before the ``with`` block ends without an error.

    A group that is there is replaced, and stays as it is if there is an error. `made_from` tells,
    where that is known, what it is made from: another text, another content.

    Raises:
        ValueError: If no file can have the group's name.
    """

    def __init__(self, store_dir: Path, group: str, made_from: str | None = None) -> None:
        self._store_dir, self._group = store_dir, group
        self._paths = GroupPaths(store_dir, group)
        self._metadata = {} if made_from is None else {MADE_FROM: made_from}
        self._rows: list[dict[str, Any]] = []
        self._skipped: list[dict[str, str]] = []
        self._offset = 0
        self._sha256 = hashlib.sha256()
        self._block = self._written()

    def __enter__(self) -> Self:
        self._file = self._block.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._block.__exit__(*error)

    @contextmanager
    def _written(self) -> Iterator[IO[bytes]]:
        with partial_path(self._paths.table) as table, partial_path(self._paths.pack) as pack:
            with pack.open("wb") as file:
                yield file
            flush(pack)
            self._write_table(table)
            # All are whole: no error can come between an old pack and a new table any more.
            write_skipped(self._store_dir, self._group, self._skipped)
        self._paths.failed.unlink(missing_ok=True)

    def add(self, encoded: bytes, row: Mapping[str, Any]) -> None:
        """Append one encoded image and its row of the table."""
        self._file.write(encoded)
        self._sha256.update(encoded)
        place = {
            "offset": self._offset,
            "num_bytes": len(encoded),
            "crc32": zlib.crc32(encoded),
        }
        self._rows.append({**row, **place})
        self._offset += len(encoded)

    def skip(self, item: Skipped) -> None:
        """Note an item that could not be used."""
        self._skipped.append(asdict(item))

    def add_all(self, rows: Iterable[Row | Skipped]) -> None:
        """Append or note what comes."""
        for row in rows:
            if isinstance(row, Skipped):
                self.skip(row)
            else:
                self.add(*row)

    @property
    def replaces(self) -> bool:
        """Whether something is there, whole or not, that is lost when the block ends."""
        return self._paths.pack.exists() or self._paths.table.exists()

    def _write_table(self, path: Path) -> None:
        digest = self._sha256.hexdigest()
        rows = [{**row, "pack_sha256": digest} for row in self._rows]
        # A group of which nothing could be used still gets its (empty) table: it is done.
        schema = None if rows else {"pack_sha256": pl.String}
        table = pl.DataFrame(rows, schema=schema, infer_schema_length=None)
        table.write_parquet(path, metadata=table_metadata(self._metadata))
        seal(path)


@contextmanager
def worked_at(store_dir: Path) -> Iterator[None]:
    """Stand for the time in which a process makes groups of a store; several may do so at once.

    What killed ones left half-written goes when nobody else is at work.
    """

    def clean() -> None:
        for folder in (store_dir, *(store_dir / name for name in _FOLDERS)):
            remove_leftovers(folder, is_alone=True)

    try:
        with shared(store_dir / _WORK_LOCK, clean):
            yield
    finally:
        # The lock's own, where the work was refused.
        with suppress(OSError):
            store_dir.rmdir()


def claim_store(store_dir: Path, recipe: Mapping[str, Any]) -> None:
    """Write down what makes the store, or check that the same recipe made what is there.

    Raises:
        ValueError: If the store was made by another recipe; names the differing settings.
    """
    path = store_dir / "store.json"
    # Of two with different recipes who begin at once one is refused.
    with locked(store_dir / ".claim.lock"):
        if path.exists():
            check_recipe(store_dir, recipe)
        else:
            write_json(path, recipe)


def check_recipe(store_dir: Path, recipe: Mapping[str, Any]) -> None:
    """Check that a recipe made the store.

    Raises:
        ValueError: As `claim_store`.
    """
    # As json has it: a tuple is a list there.
    found, recipe = read_recipe(store_dir), json.loads(json.dumps(dict(recipe)))
    differing = [key for key in {*found, *recipe} if found.get(key) != recipe.get(key)]
    if differing:
        changes = "; ".join(
            f"{key}: {found.get(key)!r} there, {recipe.get(key)!r} now" for key in sorted(differing)
        )
        raise ValueError(
            f"{store_dir} was made with other settings ({changes}). Choose another folder "
            "with data.store_dir=..., or remove this one"
        )


def write_expected(store_dir: Path, groups: Sequence[str]) -> None:
    """Write down which groups the raw data have."""
    write_json(store_dir / "groups.json", {"groups": list(groups)})


def write_skipped(store_dir: Path, group: str, skipped: Sequence[Mapping[str, str]]) -> None:
    """Write the list of a group's items that could not be used."""
    write_json(GroupPaths(store_dir, group).skipped, {"skipped": list(skipped)})


def write_failure(store_dir: Path, group: str, why: str) -> None:
    """Write down why a group could not be made, or made again; forgotten when it is made."""
    write_text(GroupPaths(store_dir, group).failed, why)
