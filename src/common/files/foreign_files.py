"""Files that others wrote: read into values, or refused by a ValueError that says which and where.

Everything that reads text, json, csv or names of files from outside comes through here, so that a
damaged or hostile file ends in the same way everywhere.
"""

import csv
import io
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

# What file systems take, less what a temporary file adds to a name.
MAX_NAME_BYTES = 200
# A quarter of what Linux takes, which the folder before it needs, too.
_MAX_PATH_BYTES = 1000
# Of a float: a longer whole number is beyond them all.
_MAX_DIGITS = 308
_MAX_SHOWN = 80
# Of a json text: a backslash, a surrogate pair, or half of one.
_ESCAPE = re.compile(r"\\\\|\\u[dD][89abAB]..\\u[dD][c-fC-F]..|(\\u[dD][89a-fA-F]..)")


def read_text(path: Path) -> str:
    """Return a UTF-8 text, with or without a byte order mark."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from error
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ValueError(
            f"{path}, line {line}: no UTF-8 ({error.reason}); save it as UTF-8"
        ) from error


def read_lines(path: Path) -> list[str]:
    """Return the lines of a text, without white space around them."""
    return [line.strip() for line in read_text(path).splitlines()]


def read_json(path: Path) -> Any:
    """Return the content of a json file.

    A whole number that no float reaches becomes infinite, as ``1e999`` does, and half a surrogate
    pair, which no file can be written with, a replacement character.
    """
    return parse_json(read_text(path), str(path))


def parse_json(
    text: str | bytes, where: str, *, object_hook: Callable[..., Any] | None = None
) -> Any:
    """Return the content of a json text, which a message calls `where`."""
    try:
        return json.loads(_encodable(text), parse_int=_whole_number, object_hook=object_hook)
    except RecursionError as error:
        raise ValueError(f"{where} is nested too deeply") from error
    except ValueError as error:
        raise ValueError(f"{where} is no JSON: {error}") from error


def read_csv(path: Path, **form: Any) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows of a csv that are not blank, each with the number of its last line.

    The form is that of `csv.reader`.
    """
    rows = csv.reader(io.StringIO(read_text(path), newline=""), **form)
    while True:
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            raise ValueError(f"{path}, line {rows.line_num}: no csv ({error})") from error
        if any(row):
            yield rows.line_num, row


def is_name(text: str) -> bool:
    """Return whether a file can be called so: one visible name, with room for a suffix."""
    return (
        0 < _num_bytes(text) <= MAX_NAME_BYTES
        and text.isprintable()
        and "/" not in text
        and "\\" not in text
        and not text.startswith(".")
    )


def path_inside(folder: Path, name: str) -> Path:
    """Return the path of a file that a list names, relative to a folder.

    Raises:
        ValueError: If the name leads out of the folder, or no file can be called so.
    """
    parts = PurePosixPath(name).parts
    is_outside = name.startswith("/") or ".." in parts
    is_long = _num_bytes(name) > _MAX_PATH_BYTES
    if not parts or is_outside or is_long or not all(map(_is_part, parts)):
        raise ValueError(f"{shown(name)} is no path below {folder}")
    return folder.joinpath(*parts)


def shown(value: Any) -> str:
    """Return a value for a message: as json has it, a long one cut."""
    try:
        text = json.dumps(value, default=repr)
    except (RecursionError, ValueError, TypeError):
        text = f"a {type(value).__name__}"
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}..."


def _is_part(part: str) -> bool:
    return part.isprintable() and _num_bytes(part) <= MAX_NAME_BYTES


def _num_bytes(text: str) -> int:
    return len(text.encode(errors="replace"))


def _encodable(text: str | bytes) -> str:
    """Return json's text without escapes of single surrogates."""
    whole = text if isinstance(text, str) else text.decode("utf-8-sig")
    return _ESCAPE.sub(lambda found: r"\ufffd" if found[1] else found[0], whole)


def _whole_number(digits: str) -> int | float:
    return int(digits) if len(digits) <= _MAX_DIGITS else float(digits)
