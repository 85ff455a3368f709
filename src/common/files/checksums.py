"""SHA-256 of what a run depends on: code, files, arrays."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

_CODE_DIR = Path(__file__).parents[2]
_PACKAGES = ("common", "flame", "gazepose")
_CODE_SUFFIXES = {".py", ".json", ".yaml"}


def code_sha256() -> str:
    """Hash names and contents of the suite's files, committed or not, as they lie on the disk."""
    digest = hashlib.sha256()
    for path in _code_files():
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{path.relative_to(_CODE_DIR).as_posix()} {content}\n".encode())
    return digest.hexdigest()


def file_sha256(path: Path) -> str:
    """Hash a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def arrays_sha256(arrays: Iterable[npt.NDArray[np.generic] | None]) -> str:
    """Hash type, shape and values of arrays, in their order; None is an array that is not there."""
    digest = hashlib.sha256()
    for array in arrays:
        described = "none" if array is None else f"{array.dtype.str} {array.shape}"
        digest.update(f"{described}\n".encode())
        if array is not None:
            digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def plain_digest(value: Any) -> str:
    """Return a digest of plain values, as json has them."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def files_digest(paths: Iterable[Path]) -> str:
    """Return a digest of the names and contents of files, in their order."""
    sha256 = hashlib.sha256()
    for path in paths:
        sha256.update(f"\n{path.name}\n".encode())
        sha256.update(path.read_bytes())
    return sha256.hexdigest()


def _code_files() -> list[Path]:
    found = (path for name in _PACKAGES for path in (_CODE_DIR / name).rglob("*"))
    return sorted(path for path in found if path.suffix in _CODE_SUFFIXES and path.is_file())
