"""Encoded images of a face store, read by their place."""

import os
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

# A clip's images lie together; what a track lacks in between is not worth more than this.
_LONGEST_READ_BYTES = 1 << 20
# Per process; systems allow 1024 files by default.
_MOST_OPEN_PACKS = 500
REPAIR = "`python preprocess.py data=... mode=repair` makes damaged groups again"


class Packs:
    """Encoded images by their place; each pack is opened where it is first read from.

    Safe to pickle into loader workers and to carry into forked ones.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self.paths = list(paths)
        self._descriptors: dict[int, int] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_descriptors": {}}

    def read(self, pack: int, places: Sequence[tuple[int, int, int]]) -> list[bytes | None]:
        """Return the bytes at some places of one pack, in one read where they lie together.

        Args:
            pack: number of the pack.
            places: offset, number of bytes and crc32 of each image, in any order.

        Returns:
            The bytes of each, None where they are not what was written.

        Raises:
            ValueError: If the pack cannot be read at all; says how to rebuild it.
        """
        if not places:
            return []
        first = min(offset for offset, _, _ in places)
        num_bytes = max(offset + num for offset, num, _ in places) - first
        try:
            if num_bytes > _LONGEST_READ_BYTES:
                spans = [self._span(pack, offset, num) for offset, num, _ in places]
            else:
                span = memoryview(self._span(pack, first, num_bytes))
                spans = [bytes(span[o - first : o - first + num]) for o, num, _ in places]
        except OSError as error:
            raise ValueError(f"{self.paths[pack]}: {error.strerror}; {REPAIR}") from error
        return [
            data if is_as_written(data, crc32) else None
            for data, (_, _, crc32) in zip(spans, places, strict=True)
        ]

    def _span(self, pack: int, offset: int, num_bytes: int) -> bytes:
        return os.pread(self._descriptor(pack), num_bytes, offset)

    def _descriptor(self, pack: int) -> int:
        # Opened where it is used: a descriptor must not cross a process border.
        if pack not in self._descriptors:
            if len(self._descriptors) >= _MOST_OPEN_PACKS:
                os.close(self._descriptors.pop(next(iter(self._descriptors))))
            self._descriptors[pack] = os.open(self.paths[pack], os.O_RDONLY)
        return self._descriptors[pack]


def is_as_written(data: bytes, crc32: int) -> bool:
    """Return whether an image's bytes have the checksum that its row says."""
    return zlib.crc32(data) == crc32
