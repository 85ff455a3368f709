"""Short texts that are others where a clip's raw data are others."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any


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


def image_names(folder: Path) -> list[str]:
    """Return the files in a folder's sub-folders, as ``track/name``.

    Names alone: every run asks for them, and a network drive takes hours to tell the sizes of
    millions of files. A copy of the folder has other times, and would be another one by them.
    """
    with os.scandir(folder) as entries:
        tracks = [entry.name for entry in entries if entry.is_dir()]
    return sorted(f"{track}/{name}" for track in tracks for name in os.listdir(folder / track))
