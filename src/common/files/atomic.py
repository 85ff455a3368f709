"""Files appear whole or not at all: written under a temporary name, flushed, then renamed."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

# Of a file that is being written, with its process's number, or a lock.
_LEFTOVER = re.compile(r"\..+\.(?:(\d+)\.\w+|lock)")


@contextmanager
def partial_path(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it when the block ends without an error.

    The suffix is kept, because image and figure writers choose their format by it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        yield partial
        flush(partial)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def flush(path: Path) -> None:
    """Wait until a file is on the disk: a rename may get there before it, and the power fail."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def remove_leftovers(folder: Path, *, is_alone: bool = False) -> None:
    """Remove what killed processes of this machine left of their files in a folder.

    With `is_alone`, when nobody else on any machine is at work there, locks and what others left
    go too.
    """
    for found in folder.glob(".*"):
        if found.is_file() and _is_left(found.name, is_alone):
            found.unlink(missing_ok=True)


def remove_leftovers_below(folder: Path) -> None:
    """Remove what killed processes of this machine left in a folder and in those below it."""
    for each in (folder, *(path for path in folder.rglob("*") if path.is_dir())):
        remove_leftovers(each)


def _is_left(name: str, is_alone: bool) -> bool:
    leftover = _LEFTOVER.fullmatch(name)
    if leftover is None or is_alone:
        return leftover is not None
    return leftover[1] is not None and not _is_alive(int(leftover[1]))


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except PermissionError:
        return True
    except (ProcessLookupError, OverflowError):
        return False
    return True


def write_text_atomically(path: Path, text: str) -> None:
    """Write a text file in UTF-8, whole or not at all."""
    with partial_path(path) as partial:
        partial.write_text(text, encoding="utf-8")


@contextmanager
def kept_lines(path: Path) -> Iterator[TextIO]:
    """Yield a temporary file that gets its name in any case: an interruption loses no line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    # Line by line to the disk: a killed process leaves its lines under the temporary name.
    lines = partial.open("w", encoding="utf-8", buffering=1)
    try:
        with lines:
            yield lines
    finally:
        # An empty file takes no earlier result's place.
        if partial.stat().st_size:
            flush(partial)
            os.replace(partial, path)
        else:
            partial.unlink()
