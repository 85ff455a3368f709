"""How large an image says it is, read before anything decodes it.

A file of 4 kB can claim a hundred million pixels: decoders take their memory first and miss the
data later.
"""

import io

from PIL import Image

# Cameras of 108 million are in people's pockets.
MAX_PIXELS = 120_000_000
# This much is taken for any file, beyond it no more than the worst JPEG of a photo needs.
_FREE_PIXELS = 16_000_000
_MOST_PIXELS_PER_BYTE = 100
_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8"
# A JPEG's segments that begin a frame.
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def check_pixels(width: int, height: int, num_bytes: int) -> None:
    """Refuse an image whose header claims more than can be in the bytes of its file.

    Raises:
        ValueError: If it has more than `MAX_PIXELS`, or is large without the bytes for it.
    """
    most = min(MAX_PIXELS, max(_FREE_PIXELS, _MOST_PIXELS_PER_BYTE * num_bytes))
    if width * height > most:
        raise ValueError(
            f"{width} x {height} pixels in {num_bytes} bytes, expected {most} pixels at most"
        )


def encoded_size(data: bytes) -> tuple[int, int]:
    """Return width and height that an image's header says.

    Raises:
        Exception: Of any kind, as Pillow does, if the bytes are no image.
    """
    found = _size_of_jpeg(data) if data.startswith(_JPEG) else None
    if data.startswith(_PNG) and len(data) >= 24:
        found = _integer(data, 16, 4), _integer(data, 20, 4)
    if found is not None:
        return found
    # A hundred times slower, so only for what the suite does not write itself.
    with Image.open(io.BytesIO(data)) as file:
        return file.size


def _size_of_jpeg(data: bytes) -> tuple[int, int] | None:
    """Return what the first frame's header says; None if the segments before it are unusual."""
    place = len(_JPEG)
    while place + 9 <= len(data) and data[place] == 0xFF:
        if data[place + 1] in _FRAMES:
            return _integer(data, place + 7, 2), _integer(data, place + 5, 2)
        place += 2 + _integer(data, place + 2, 2)
    return None


def _integer(data: bytes, start: int, num_bytes: int) -> int:
    return int.from_bytes(data[start : start + num_bytes], "big")
