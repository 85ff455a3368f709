"""Places of the members of a large JSON object: read once, then each where it is needed.

A position in the text is a position in the file, because every byte is taken for a character.
"""

import json
import mmap
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

_BYTE_ORDER_MARK = "\xef\xbb\xbf"
_SPACE = re.compile(r"[ \t\r\n]*")
_NUMBER = re.compile(r"[-+.0-9eE]+")
# What a list or an object is made of, as far as its end depends on it.
_STRING_OR_BRACKET = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[\[{\]}]', re.DOTALL)
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
    with named_damage(path, text):
        yield from _members(text)


@contextmanager
def named_damage(path: Path, text: str) -> Iterator[None]:
    """Name file and place where a walk through it fails.

    Raises:
        ValueError: If the block raises a json.JSONDecodeError.
    """
    try:
        yield
    except json.JSONDecodeError as error:
        raise ValueError(
            f"{path} is cut short or damaged at byte {error.pos} of {len(text)} ({error.msg}): "
            "download or copy it again"
        ) from error


def parsed_value(text: str, start: int) -> tuple[Any, int]:
    """Return the value that begins at a place, and where it ends.

    None in place of a value that is nested too deeply, or holds a number of thousands of digits:
    where it ends is found all the same, so that it costs nothing but itself.

    Raises:
        json.JSONDecodeError: If it is damaged.
    """
    try:
        return _DECODER.raw_decode(text, start)
    except json.JSONDecodeError:
        raise
    except (RecursionError, ValueError):
        number = _NUMBER.match(text, start)
        return None, _end_of_brackets(text, start) if number is None else number.end()


def _end_of_brackets(text: str, start: int) -> int:
    """Return where a list or an object ends, by its brackets alone."""
    depth = 0
    for found in _STRING_OR_BRACKET.finditer(text, start):
        depth += (found[0] in "[{") - (found[0] in "]}")
        if not depth:
            return found.end()
    raise json.JSONDecodeError("no end of what begins here", text, start)


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
    position = after_mark(text, start_of(text), "{")
    while text[position : position + 1] != "}":
        key, end = parsed_key(text, position)
        value_start = after_mark(text, end, ":")
        _, value_end = parsed_value(text, value_start)
        yield Member(key, position, value_start, value_end)
        end = skip_space(text, value_end)
        position = end if text[end : end + 1] == "}" else after_mark(text, end, ",")


def start_of(text: str) -> int:
    """Return where a text begins: behind its byte order mark."""
    return len(_BYTE_ORDER_MARK) if text.startswith(_BYTE_ORDER_MARK) else 0


def parsed_key(text: str, position: int) -> tuple[str, int]:
    """Return the key of a member, as its bytes spell it, and where it ends.

    Raises:
        json.JSONDecodeError: If there is none.
    """
    if text[position : position + 1] != '"':
        raise json.JSONDecodeError("expected a key in quotes", text, position)
    _, end = _DECODER.raw_decode(text, position)
    # The text is bytes; only the parser knows what they spell.
    return str(json.loads(text[position:end].encode("latin-1").decode(errors="replace"))), end


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
