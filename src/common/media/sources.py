"""The files a user means by ``source=``, what each is, and where what is made may lie."""

import glob
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Literal

from common.media.photo import is_photo
from common.media.video import is_video

PHOTO_SUFFIXES = (
    *(".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp", ".heic", ".heif", ".avif"),
)
VIDEO_SUFFIXES = (
    *(".mp4", ".mov", ".mkv", ".avi", ".webm", ".m4v", ".mts", ".m2ts", ".3gp", ".3g2"),
    *(".wmv", ".asf", ".mpg", ".mpeg", ".flv", ".ogv", ".h264", ".264", ".hevc", ".265"),
)
NO_MEDIUM = "neither a photo nor a video"
Kind = Literal["photo", "video"]


@dataclass(frozen=True)
class SourceFiles:
    """What a user's source holds.

    Attributes:
        photos: sorted.
        videos: sorted.
        left_out: other files, with the reason.
    """

    photos: list[Path] = field(default_factory=list)
    videos: list[Path] = field(default_factory=list)
    left_out: dict[Path, str] = field(default_factory=dict)


def find_media(source: str, output_dir: Path | None = None) -> SourceFiles:
    """Return the photos and videos a user means: one file, all of a folder, a glob pattern's.

    Args:
        source: what the user typed. A file whose name has brackets is that file. Of a folder the
            sub-folders count too.
        output_dir: a folder below the source in which earlier results may lie; left out.
    """
    path, found = Path(source), SourceFiles()
    if path.is_file():
        candidates = [path]
    elif path.is_dir():
        candidates = list(files_under(path))
    else:
        candidates = [Path(name) for name in glob.glob(source, recursive=True)]
    is_above = output_dir is not None and path.resolve() in output_dir.resolve().parents
    for each in sorted(each for each in candidates if each.is_file() and not _is_leftover(each)):
        kind = kind_of(each)
        if is_above and output_dir is not None and output_dir.resolve() in each.resolve().parents:
            found.left_out[each] = "lies in output_dir"
        elif kind is None:
            found.left_out[each] = NO_MEDIUM
        else:
            (found.photos if kind == "photo" else found.videos).append(each)
    return found


def files_under(folder: Path) -> Iterator[Path]:
    """Yield the files of a folder and its sub-folders, but for hidden ones."""
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(parent, name) for name in sorted(names) if not name.startswith("."))


def kind_of(path: Path) -> Kind | None:
    """Return what a file is by its content; what that does not tell, as damaged, by its suffix."""
    if is_photo(path):
        return "photo"
    if is_video(path):
        return "video"
    suffix = path.suffix.lower()
    if suffix in PHOTO_SUFFIXES:
        return "photo"
    return "video" if suffix in VIDEO_SUFFIXES else None


def _is_leftover(path: Path) -> bool:
    # Of an interrupted copy, or of macOS (._video.mp4).
    return path.name.startswith(".")


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
