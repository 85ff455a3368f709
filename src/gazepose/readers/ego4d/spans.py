"""Ego4D's ``av_*.json``, clip by clip, without holding hundreds of MB of parsed boxes.

A file is gone through once: each clip is parsed, handed out with its place in the file, and
forgotten. With the place, a worker process reads and parses its own clip alone, so that a reader
carries no annotations when it is pickled.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gazepose.readers.json_members import after_mark, bytes_as_text, skip_space

_BYTE_ORDER_MARK = "\xef\xbb\xbf"
_DECODER = json.JSONDecoder()
# Walks one value of a text from a position, yields what it finds, returns where the value ends.
_Walk = Generator["tuple[int, int, Any]", None, int]


@dataclass(frozen=True)
class ClipSpan:
    """Where a clip's JSON object lies.

    Attributes:
        path: the file.
        start: first byte.
        end: byte after the last.
    """

    path: Path
    start: int
    end: int


def iterate_clips(path: Path) -> Iterator[tuple[ClipSpan, Any]]:
    """Go through ``videos[*].clips[*]`` of a file.

    Takes as much memory as the file is long, and one parsed clip. Text that is not ASCII comes
    garbled; `read_clip` gives it right.

    Yields:
        Each clip's place and content, in the file's order.

    Raises:
        ValueError: If the file is cut short or damaged, after the clips before the damage.
    """
    text = bytes_as_text(path)
    start = len(_BYTE_ORDER_MARK) if text.startswith(_BYTE_ORDER_MARK) else 0
    try:
        for begin, end, clip in _object(text, start, {"videos": _videos}):
            yield ClipSpan(path, begin, end), clip
    except json.JSONDecodeError as error:
        raise ValueError(
            f"{path} is cut short or damaged at byte {error.pos} of {len(text)} ({error.msg}): "
            "download it again"
        ) from error


def read_clip(span: ClipSpan) -> Any:
    """Parse one clip.

    Raises:
        ValueError: If the file changed since its places were noted.
    """
    with span.path.open("rb") as file:
        file.seek(span.start)
        content = file.read(span.end - span.start)
    try:
        return json.loads(content)
    except ValueError as error:
        raise ValueError(f"{span.path} changed while it was in use: run again") from error


def _videos(text: str, start: int) -> _Walk:
    return (yield from _array(text, start, _video))


def _video(text: str, start: int) -> _Walk:
    return (yield from _object(text, start, {"clips": _clips}))


def _clips(text: str, start: int) -> _Walk:
    return (yield from _array(text, start, _found))


def _found(text: str, start: int) -> _Walk:
    value, end = _DECODER.raw_decode(text, start)
    yield start, end, value
    return end


def _object(text: str, start: int, walks: Mapping[str, Callable[[str, int], _Walk]]) -> _Walk:
    """Walk the named members of an object, and pass over the others."""

    def member(text: str, start: int) -> _Walk:
        key, end = _DECODER.raw_decode(text, start)
        value_start = after_mark(text, end, ":")
        walk = walks.get(key, _passed_over)
        return (yield from walk(text, value_start))

    return (yield from _listing(text, start, "{}", member))


def _array(text: str, start: int, item: Callable[[str, int], _Walk]) -> _Walk:
    return (yield from _listing(text, start, "[]", item))


def _listing(text: str, start: int, brackets: str, entry: Callable[[str, int], _Walk]) -> _Walk:
    opening, closing = brackets[0], brackets[1]
    start = skip_space(text, start)
    if text[start : start + 1] != opening:
        # null, or of a kind that holds no clip
        return (yield from _passed_over(text, start))
    position = skip_space(text, start + 1)
    while text[position : position + 1] != closing:
        end = skip_space(text, (yield from entry(text, position)))
        position = end if text[end : end + 1] == closing else after_mark(text, end, ",")
    return position + 1


def _passed_over(text: str, start: int) -> _Walk:
    yield from ()
    return _DECODER.raw_decode(text, start)[1]
