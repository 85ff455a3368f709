"""What a folder's files hold, a file torn in half, and a disk that is full."""

from pathlib import Path
from typing import Any


def contents(folder: Path) -> dict[str, bytes]:
    """Return the content of all files below a folder by their paths there."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def halve(path: Path) -> Path:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    return path


def no_space(*_: Any, **__: Any) -> None:
    raise OSError(28, "No space left on device")
