"""Files that carry their own checksum: a bit that changes on the disk is seen when they are read.

The checksum, the seal, is the SHA-256 of the whole file with zeros in its own place. It stands
where a format takes a text: a JSON object's first entry, the last of a Parquet table's metadata, a
text's last line. Files of before have none and are read as they are.

What is damaged or cannot be read ends in a ValueError that names the file, and says what to do.
"""

import hashlib
import io
import json
import os
import re
from collections.abc import Callable, Mapping
from math import isfinite
from pathlib import Path
from typing import IO, Any

import polars as pl

from common.files.atomic import partial_path
from common.files.foreign_files import parse_json
from common.files.foreign_tables import named_table_errors

SEAL = "seal"
# Words that no other content has.
_OPENS, _CLOSES = b"sealed-by-sha256-", b"-end-of-seal"
_ZEROS = b"0" * 64
# What a writer puts where the seal goes.
BLANK = (_OPENS + _ZEROS + _CLOSES).decode()
_WHOLE = re.compile(_OPENS + rb"([0-9a-f]{64})" + _CLOSES)
# A seal lies within so many bytes of the file's start or end. Behind a Parquet table's there are
# three bytes a column.
_HEAD_BYTES, _TAIL_BYTES = 128, 1 << 16
_CHUNK_BYTES = 1 << 20


def seal(path: Path) -> None:
    """Put the seal of a file into it, in the place of its `BLANK`."""
    with path.open("r+b") as file:
        place = _place(file)
        assert place is not None, "the writer leaves a blank for the seal"
        digest = _digest(file, place)
        file.seek(place)
        file.write(digest)
        file.flush()
        os.fsync(file.fileno())


def is_intact(file: IO[bytes]) -> bool:
    """Return whether a file's content is as its seal says, or it has none."""
    try:
        place = _place(file)
    except ValueError:
        return False
    if place is None:
        return True
    file.seek(place)
    return file.read(len(_ZEROS)) == _digest(file, place)


def has_seal(path: Path) -> bool:
    """Return whether an intact file carries its checksum; files of before do not."""
    with path.open("rb") as file:
        return _place(file) is not None


def check_seal(path: Path, remedy: str) -> None:
    """Check that a file, of before or with a seal, is as it was written."""
    try:
        with path.open("rb") as file:
            as_written = is_intact(file)
    except OSError as error:
        raise ValueError(f"{path} cannot be read ({error.strerror}); {remedy}") from error
    if not as_written:
        raise _changed(path, remedy)


def write_json(path: Path, content: Mapping[str, Any], *, default: Any = None) -> None:
    """Write a JSON object with its seal, whole or not at all.

    As JSON has no other numbers, those that are not finite become null. `default` is as of
    `json.dumps`.
    """
    text = json.dumps(_finite({SEAL: BLANK, **content}), indent=1, default=default, allow_nan=False)
    with partial_path(path) as partial:
        partial.write_text(f"{text}\n", encoding="utf-8")
        seal(partial)


def read_json(path: Path, remedy: str, *, object_hook: Callable[..., Any] | None = None) -> Any:
    """Return what a JSON file holds, without its seal; `object_hook` is as of `json.loads`."""
    content = _read_intact(path, f"{remedy}. If it was changed on purpose, remove its {SEAL!r}")
    try:
        found = parse_json(content, "it", object_hook=object_hook)
    except ValueError as error:
        raise ValueError(f"{path} is damaged ({error}); {remedy}") from error
    if isinstance(found, dict):
        found.pop(SEAL, None)
    return found


def write_text(path: Path, text: str) -> None:
    """Write lines of text with their seal as the last one, whole or not at all."""
    with partial_path(path) as partial:
        partial.write_text(f"{text}\n{BLANK}\n", encoding="utf-8")
        seal(partial)


def read_text(path: Path, remedy: str) -> str:
    """Return a text as `write_text` was given it."""
    content = _read_intact(path, remedy)
    text = content.decode("utf-8", errors="replace").rstrip("\n")
    lines, _, last = text.rpartition("\n")
    return lines if _WHOLE.fullmatch(last.encode()) else text


def table_metadata(metadata: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the metadata of a Parquet table that will be sealed."""
    return {**(metadata or {}), SEAL: BLANK}


def write_table(table: pl.DataFrame, path: Path, metadata: Mapping[str, str] | None = None) -> None:
    """Write a Parquet table with its seal, whole or not at all."""
    with partial_path(path) as partial:
        table.write_parquet(partial, metadata=table_metadata(metadata))
        seal(partial)


def read_table(path: Path, remedy: str, columns: list[str] | None = None) -> pl.DataFrame:
    """Return a Parquet table, or these of its columns; one that lacks them is damaged."""
    content = _read_intact(path, remedy)
    with named_table_errors(path, remedy):
        return pl.read_parquet(io.BytesIO(content), columns=columns)


def scan_table(path: Path, remedy: str) -> pl.LazyFrame:
    """Return a Parquet table that is too large to be read at once."""
    check_seal(path, remedy)
    with named_table_errors(path, remedy):
        rows = pl.scan_parquet(path, glob=False)
        rows.collect_schema()
    return rows


def read_metadata(path: Path, remedy: str) -> dict[str, str]:
    """Return what a Parquet table says of itself."""
    content = _read_intact(path, remedy)
    with named_table_errors(path, remedy):
        return dict(pl.read_parquet_metadata(io.BytesIO(content)))


def _read_intact(path: Path, remedy: str) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ValueError(f"{path} cannot be read ({error.strerror}); {remedy}") from error
    if not is_intact(io.BytesIO(content)):
        raise _changed(path, remedy)
    return content


def _place(file: IO[bytes]) -> int | None:
    """Return where the seal's digits begin; None in a file of before.

    Either end of a seal tells that there is one: a bit that changed in the other does not make
    the file one of before.

    Raises:
        ValueError: If the seal is damaged.
    """
    size = file.seek(0, io.SEEK_END)
    ends = [(0, _HEAD_BYTES), (size - _TAIL_BYTES, _TAIL_BYTES)]
    # Of a small file all at once: no seal is cut by the end of a window.
    for start, length in ends if size > _HEAD_BYTES + _TAIL_BYTES else [(0, size)]:
        file.seek(start)
        window = file.read(length)
        whole = _WHOLE.search(window)
        if whole:
            return start + whole.start(1)
        if _OPENS in window or _CLOSES in window:
            raise ValueError("the seal is damaged")
    return None


def _digest(file: IO[bytes], place: int) -> bytes:
    """Return the SHA-256, as hexadecimal digits, of a file with zeros for its seal's digits."""
    sha256 = hashlib.sha256()
    file.seek(0)
    while file.tell() < place:
        sha256.update(file.read(min(_CHUNK_BYTES, place - file.tell())))
    sha256.update(_ZEROS)
    file.seek(place + len(_ZEROS))
    while chunk := file.read(_CHUNK_BYTES):
        sha256.update(chunk)
    return sha256.hexdigest().encode()


def _changed(path: Path, remedy: str) -> ValueError:
    return ValueError(f"{path} is damaged (it is not as it was written); {remedy}")


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not isfinite(value) else value
