"""Where a video's file says that it ends: one that ends before was cut short."""

import struct
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

_EBML, _SEGMENT = bytes.fromhex("1a45dfa3"), bytes.fromhex("18538067")
_ASF_HEADER = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_ASF_FILE_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_ASF_IS_BROADCAST = 1
_HEAD_BYTES = 65536


def num_missing_bytes(path: Path) -> int:
    """Return how many bytes of a file lie beyond its end, 0 if it does not tell.

    Matroska and WebM, AVI, ASF (WMV) tell; of MP4 and MOV the table of frames does, see
    `common.media.video_index`.
    """
    ends: dict[bytes, Callable[[BinaryIO], int]] = {
        _EBML: _matroska_end,
        b"RIFF": _riff_end,
        _ASF_HEADER[:4]: _asf_end,
    }
    with path.open("rb") as file:
        find_end = ends.get(file.read(4))
        file.seek(0)
        return max(0, find_end(file) - path.stat().st_size) if find_end else 0


def _matroska_end(file: BinaryIO) -> int:
    """Return the end of the first segment; 0 if its length is open, as of a live recording."""
    head = file.read(_HEAD_BYTES)
    after_header = _after_length(head, len(_EBML))
    if after_header is None:
        return 0
    position = sum(after_header)
    if head[position : position + len(_SEGMENT)] != _SEGMENT:
        return 0
    content = _after_length(head, position + len(_SEGMENT))
    return 0 if content is None else sum(content)


def _after_length(head: bytes, position: int) -> tuple[int, int] | None:
    """Return where an EBML element's content begins and how long it is; None if that is open."""
    first = head[position] if position < len(head) else 0
    num_bytes = 9 - first.bit_length()
    if not first or position + num_bytes > len(head):
        return None
    marker = 1 << 7 * num_bytes
    length = int.from_bytes(head[position : position + num_bytes], "big") ^ marker
    return None if length == marker - 1 else (position + num_bytes, length)


def _riff_end(file: BinaryIO) -> int:
    """Return the end of the last of an AVI's chunks; a long one has several."""
    end = 0
    while (head := file.read(8))[:4] == b"RIFF" and len(head) == 8:
        length = int.from_bytes(head[4:], "little")
        if not length:  # never finished
            return 0
        end += 8 + length + length % 2
        file.seek(end)
    return end


def _asf_end(file: BinaryIO) -> int:
    head = file.read(_HEAD_BYTES)
    at = head.find(_ASF_FILE_PROPERTIES)
    if at < 0 or len(head) < at + 92:
        return 0
    (num_bytes,) = struct.unpack_from("<Q", head, at + 40)
    (flags,) = struct.unpack_from("<I", head, at + 88)
    return 0 if flags & _ASF_IS_BROADCAST else int(num_bytes)
