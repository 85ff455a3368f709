"""Files appear whole or not at all: written under a temporary name, then renamed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO


@contextmanager
def partial_path(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it when the block ends without an error.

    The suffix is kept, because image and figure writers choose their format by it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        yield partial
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def write_text_atomically(path: Path, text: str) -> None:
    """Write a text file, whole or not at all."""
    with partial_path(path) as partial:
        partial.write_text(text)


@contextmanager
def kept_lines(path: Path) -> Iterator[TextIO]:
    """Yield a temporary file that gets its name in any case: an interruption loses no line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    # Line by line to the disk: a killed process leaves its lines under the temporary name.
    lines = partial.open("w", buffering=1)
    try:
        with lines:
            yield lines
    finally:
        # An empty file takes no earlier result's place.
        if partial.stat().st_size:
            os.replace(partial, path)
        else:
            partial.unlink()
