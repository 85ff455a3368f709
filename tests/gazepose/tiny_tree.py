"""The recorded tree of the originals: two clips for train and val, one for test."""

from __future__ import annotations

import tarfile
from pathlib import Path

GOLDEN = Path(__file__).parents[1] / "golden" / "gazepose"
CLIP_A = "0a1b2c3d-1111-4aaa-8bbb-00000000000a"
CLIP_B = "0a1b2c3d-2222-4ccc-9ddd-00000000000b"
CLIP_C = "0a1b2c3d-3333-4eee-afff-00000000000c"


def unpack_tiny_tree(folder: Path) -> Path:
    """Unpack the tree; returns the folder that holds ``data`` and ``videos_challenge``."""
    with tarfile.open(GOLDEN / "tiny_ego4d.tar.gz") as archive:
        archive.extractall(folder, filter="data")
    return folder / "tiny_ego4d"
