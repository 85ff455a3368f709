"""The files a user means by ``source=``, and where what is made of them may lie."""

from __future__ import annotations

import glob
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path


def find_files(source: str, suffixes: Sequence[str]) -> list[Path]:
    """Return files of some kinds: one file, all of a folder, or a glob pattern's; sorted.

    Args:
        source: what the user typed. A file whose name has brackets is that file.
        suffixes: of the kinds, lower case with a dot; a file's own may be upper case.

    Returns:
        The files; empty if there is none of these kinds.
    """
    path = Path(source)
    if path.is_file():
        candidates = iter([path])
    else:
        pattern = (Path(found) for found in glob.glob(source, recursive=True))
        candidates = path.iterdir() if path.is_dir() else pattern
    # Hidden files are leftovers: of an interrupted copy, or of macOS (._video.mp4).
    return sorted(
        found
        for found in candidates
        if found.suffix.lower() in suffixes and not found.name.startswith(".")
    )


def unique_stems(paths: Sequence[Path]) -> Iterator[str]:
    """Yield a file name without suffix for each path: its own, numbered where another has it."""
    given: set[str] = set()
    for path in paths:
        candidates = (f"{path.stem}{f'_{n}' if n > 1 else ''}" for n in count(1))
        stem = next(stem for stem in candidates if stem.casefold() not in given)
        given.add(stem.casefold())
        yield stem


def check_output_dir(output_dir: Path, kind: str, paths: Sequence[Path]) -> None:
    """Refuse an output folder in which a source's own files could be overwritten.

    Raises:
        ValueError: If one of the paths lies in it; `kind` names them.
    """
    if output_dir.resolve() in {path.resolve().parent for path in paths}:
        raise ValueError(f"output_dir={output_dir} holds {kind} of the source; name another folder")
