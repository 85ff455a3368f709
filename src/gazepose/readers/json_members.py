"""Places of the members of a large JSON object: read once, then each where it is needed.

A position in the text is a position in the file, because every byte is taken for a character.
"""

from __future__ import annotations

import json
import mmap
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_SPACE = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()


class Member(NamedTuple):
    """A member of an object.

    Attributes:
        key: its name.
        start: first byte of the key's opening quote.
        value_start: first byte of the value.
        end: byte after the value.
    """

    key: str
    start: int
    value_start: int
    end: int


def object_members(path: Path) -> Iterator[Member]:
    """Go through the members of a file's top-level object; one value at a time is parsed.

    Yields:
        Each member, in the file's order.

    Raises:
        ValueError: If the file is cut short, damaged or no object, after the members before.
    """
    text = bytes_as_text(path)
    try:
        yield from _members(text)
    except json.JSONDecodeError as error:
        raise ValueError(
            f"{path} is cut short or damaged at byte {error.pos} of {len(text)} ({error.msg})"
        ) from error


def read_span(path: Path, start: int, end: int) -> bytes:
    """Return the bytes of a file between two places."""
    with path.open("rb") as file:
        file.seek(start)
        return file.read(end - start)


def bytes_as_text(path: Path) -> str:
    """Return a file with one character a byte: places in the text are places in the file.

    Raises:
        ValueError: If it is empty.
    """
    if path.stat().st_size == 0:
        raise ValueError(f"{path} is empty: download it again")
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return str(content, "latin-1")


def _members(text: str) -> Iterator[Member]:
    position = after_mark(text, 0, "{")
    while text[position : position + 1] != "}":
        _, end = _DECODER.raw_decode(text, position)
        # The text is bytes; only the parser knows what they spell.
        key = json.loads(text[position:end].encode("latin-1"))
        value_start = after_mark(text, end, ":")
        _, value_end = _DECODER.raw_decode(text, value_start)
        yield Member(key, position, value_start, value_end)
        end = skip_space(text, value_end)
        position = end if text[end : end + 1] == "}" else after_mark(text, end, ",")


def after_mark(text: str, position: int, mark: str) -> int:
    """Return where what follows a mark begins.

    Raises:
        json.JSONDecodeError: If there is something else.
    """
    position = skip_space(text, position)
    if text[position : position + 1] != mark:
        raise json.JSONDecodeError(f"expected {mark!r}", text, position)
    return skip_space(text, position + 1)


def skip_space(text: str, position: int) -> int:
    """Return the place of the next character that is no white space."""
    match = _SPACE.match(text, position)
    assert match is not None
    return match.end()
