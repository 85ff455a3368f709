"""What checksums cost a loader: with them and without, in turn, in one process."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any
from unittest.mock import patch

from common.files import sealed
from common.store import packs


@contextmanager
def without_checksums() -> Iterator[None]:
    """Believe every file and every image."""
    with (
        patch.object(sealed, "is_intact", lambda _file: True),
        patch.object(packs, "is_as_written", lambda _data, _crc32: True),
    ):
        yield


def describe_checksums(open_loader: Callable[[], Iterable[Any]], num_passes: int) -> str:
    """Say how long opening a store and going through a loader take with checksums and without.

    Args:
        open_loader: opens the store, and returns a loader that works in this process.
        num_passes: of each; the best counts.
    """
    opening_s: dict[bool, float] = {}
    pass_s: dict[bool, float] = {}
    for _ in range(num_passes):
        for is_checked in (True, False):
            with nullcontext() if is_checked else without_checksums():
                start = time.process_time()
                loader = open_loader()
                opened = time.process_time()
                sum(1 for _ in loader)
                ended = time.process_time()
            opening_s[is_checked] = min(opened - start, opening_s.get(is_checked, opened))
            pass_s[is_checked] = min(ended - opened, pass_s.get(is_checked, ended))
    return (
        f"checksums: opening {1e3 * opening_s[True]:,.1f} ms with, "
        f"{1e3 * opening_s[False]:,.1f} ms without; a pass {pass_s[True] / pass_s[False]:.3f} "
        "times as long with as without"
    )
