"""What a header claims is compared with the file before anything is decoded."""

import io
import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from PIL import Image

from common.media.image_codec import decode_image, encode_image
from common.media.photo import UnreadablePhotoError, photo_size, read_photo
from common.media.pixels import MAX_PIXELS, check_pixels, encoded_size

SIZE = (24, 16)


def _photo(form, **options):
    noise = np.random.default_rng(0).integers(0, 256, (SIZE[1], SIZE[0], 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).save(file, form, **options)
    return file.getvalue()


def _claiming(form, width, height):
    """Return an image of 24 x 16 whose header says another size."""
    data = bytearray(_photo(form))
    if form == "PNG":
        data[16:24] = struct.pack(">II", width, height)
        data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    else:
        place = data.index(b"\xff\xc0")
        data[place + 5 : place + 9] = struct.pack(">HH", height, width)
    return bytes(data)


@pytest.mark.parametrize(
    ("form", "options"),
    [
        *(("JPEG", {}), ("JPEG", {"progressive": True}), ("JPEG", {"comment": b"x" * 3000})),
        *(("PNG", {}), ("WEBP", {})),
    ],
)
def test_the_size_is_the_headers(form, options):
    assert encoded_size(_photo(form, **options)) == SIZE


@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_a_few_bytes_that_claim_a_huge_image_take_no_memory(form, tmp_path):
    data = _claiming(form, 13_000, 13_000)
    (tmp_path / "photo").write_bytes(data)
    tracemalloc.start()
    assert decode_image(data) is None
    for read in (read_photo, photo_size):
        with pytest.raises(UnreadablePhotoError, match=rf"13000 x 13000 .* {len(data)} "):
            read(tmp_path / "photo")
    assert tracemalloc.get_traced_memory()[1] < 1e6
    tracemalloc.stop()


@pytest.mark.parametrize(
    ("width", "height", "num_bytes"),
    [(4000, 4000, 1), (12_000, 9_000, 2_000_000), (9_000, 12_000, 30_000_000)],
)
def test_sizes_of_cameras_pass(width, height, num_bytes):
    check_pixels(width, height, num_bytes)


def test_nothing_is_larger_than_the_largest():
    with pytest.raises(ValueError, match=rf"{MAX_PIXELS + 1} x 1 .* {MAX_PIXELS} "):
        check_pixels(MAX_PIXELS + 1, 1, 10**12)


@pytest.mark.parametrize("codec", ["jpeg", "png"])
def test_what_is_cut_anywhere_is_none_or_an_image(codec):
    data = encode_image(np.full((16, 24, 3), 99, np.uint8), codec, 90)
    for length in range(0, len(data), 7):
        found = decode_image(data[:length])
        assert found is None or found.shape == (16, 24, 3)
