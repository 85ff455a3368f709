"""Images as bytes: png exactly, JPEG nearly, colours in their order."""

import numpy as np
import pytest
from builders.seeded_store import image

from common.media.image_codec import decode_image, encode_image


def test_png_comes_back_exactly_and_jpeg_nearly() -> None:
    original = image(0)
    np.testing.assert_array_equal(decode_image(encode_image(original, "png", 0)), original)
    errors = [
        np.abs(decode_image(encode_image(original, "jpeg", quality)).astype(int) - original)
        for quality in (95, 30)
    ]
    # JPEG keeps colour at half the resolution, and this image's changes fast.
    assert errors[0].max() <= 16
    assert errors[0].mean() < 2 < errors[1].mean()


def test_the_channels_keep_their_order() -> None:
    red = np.zeros((8, 8, 3), np.uint8)
    red[..., 0] = 200
    for codec in ("png", "jpeg"):
        np.testing.assert_allclose(decode_image(encode_image(red, codec, 95)), red, atol=3)


def test_an_unknown_codec_is_refused() -> None:
    with pytest.raises(ValueError, match=r"'webp'.*'jpeg', 'png'"):
        encode_image(image(0), "webp", 90)
