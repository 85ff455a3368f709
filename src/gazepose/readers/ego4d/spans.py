"""Ego4D's ``av_*.json``, clip by clip, without holding hundreds of MB of parsed boxes.

A file is gone through once: each clip is parsed, handed out with its place in the file, and
forgotten. With the place, a worker process reads and parses its own clip alone, so that a reader
carries no annotations when it is pickled.
"""

from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common.files.foreign_files import parse_json
from gazepose.readers.json_members import (
    after_mark,
    bytes_as_text,
    named_damage,
    parsed_key,
    parsed_value,
    read_span,
    skip_space,
    start_of,
)

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
        Each clip's place and content, in the file's order; None in place of a content that is
        nested too deeply.

    Raises:
        ValueError: If the file is cut short or damaged, after the clips before the damage.
    """
    text = bytes_as_text(path)
    with named_damage(path, text):
        for begin, end, clip in _object(text, start_of(text), {"videos": _videos}):
            yield ClipSpan(path, begin, end), clip


def read_clip(span: ClipSpan) -> Any:
    """Parse one clip.

    Raises:
        ValueError: If it is no UTF-8, or the file changed since its places were noted.
    """
    content = read_span(span.path, span.start, span.end)
    try:
        return parse_json(content, f"the clip at byte {span.start}")
    except ValueError as error:
        raise ValueError(
            f"{span.path} is damaged or changed while it was in use: run again, or download it "
            f"again ({error})"
        ) from error


def _videos(text: str, start: int) -> _Walk:
    return (yield from _array(text, start, _video))


def _video(text: str, start: int) -> _Walk:
    return (yield from _object(text, start, {"clips": _clips}))


def _clips(text: str, start: int) -> _Walk:
    return (yield from _array(text, start, _found))


def _found(text: str, start: int) -> _Walk:
    value, end = parsed_value(text, start)
    yield start, end, value
    return end


def _object(text: str, start: int, walks: Mapping[str, Callable[[str, int], _Walk]]) -> _Walk:
    """Walk the named members of an object, and pass over the others."""

    def member(text: str, start: int) -> _Walk:
        key, end = parsed_key(text, start)
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
    return parsed_value(text, start)[1]
