"""Ego4D's ``av_*.json``, clip by clip, without holding hundreds of MB of parsed boxes.

A file is gone through once: each clip is parsed, handed out with its place in the file, and
forgotten. With the place, a worker process reads and parses its own clip alone, so that a reader
carries no annotations when it is pickled.
"""

from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any, NamedTuple

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

# Names of members; None stands for every item of a list.
_WAY_TO_CLIPS = ("videos", None, "clips", None)


class ClipSpan(NamedTuple):
    """Where a clip's JSON object lies: its first byte, and the one after its last."""

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
        ValueError: If there is no file, or it is cut short or damaged, after the clips before the
            damage.
    """
    if not path.is_file():
        raise ValueError(
            f"no {path}, which the {path.stem.removeprefix('av_')} part needs: download the "
            "annotations, or leave the part out with data.reader.parts=[...]"
        )
    text = bytes_as_text(path)
    with named_damage(path, text):
        start = skip_space(text, start_of(text))
        for begin, end, clip in _found(text, start, _WAY_TO_CLIPS):
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


def _found(
    text: str, start: int, way: tuple[str | None, ...]
) -> Generator[tuple[int, int, Any], None, int]:
    """Yield what lies at the end of a way into the value that begins here: start, end, content.

    Returns:
        Where the value ends.
    """
    if not way:
        content, end = parsed_value(text, start)
        yield start, end, content
        return end
    opening, closing = ("{", "}") if way[0] else ("[", "]")
    if text[start : start + 1] != opening:
        # null, or of a kind that holds no clip
        return parsed_value(text, start)[1]
    key, position = None, skip_space(text, start + 1)
    while text[position : position + 1] != closing:
        if way[0]:
            key, end = parsed_key(text, position)
            position = after_mark(text, end, ":")
        if key == way[0]:
            end = yield from _found(text, position, way[1:])
        else:
            end = parsed_value(text, position)[1]
        end = skip_space(text, end)
        position = end if text[end : end + 1] == closing else after_mark(text, end, ",")
    return position + 1
