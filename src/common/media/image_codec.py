"""Images as bytes: JPEG, or PNG where every pixel counts."""

from pathlib import Path

import cv2
import numpy as np

from common.arrays import Image
from common.files.atomic import partial_path
from common.media.pixels import check_pixels, encoded_size

CODECS = ("jpeg", "png")
_CODEC_OF_SUFFIX = {".jpg": "jpeg", ".png": "png"}


def encode_image(image: Image, codec: str, quality: int) -> bytes:
    """Encode an (H, W, 3) uint8 RGB image as ``jpeg`` (quality 1..100) or lossless ``png``."""
    if codec not in CODECS:
        raise ValueError(f"codec is {codec!r}, expected one of {CODECS}")
    parameters = [cv2.IMWRITE_JPEG_QUALITY, quality] if codec == "jpeg" else []
    suffix = ".jpg" if codec == "jpeg" else ".png"
    done, encoded = cv2.imencode(suffix, cv2.cvtColor(image, cv2.COLOR_RGB2BGR), parameters)
    assert done
    return bytes(encoded)


def write_image(path: Path, image: Image, quality: int) -> None:
    """Write an (H, W, 3) uint8 RGB image as .jpg (quality 1..100) or .png, whole or not at all."""
    encoded = encode_image(image, _CODEC_OF_SUFFIX[path.suffix], quality)
    with partial_path(path) as partial:
        partial.write_bytes(encoded)


def decode_image(data: bytes) -> Image | None:
    """Decode to (H, W, 3) uint8 RGB; None if the bytes are no image, or claim to be a huge one."""
    try:
        check_pixels(*encoded_size(data), len(data))
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    # What Pillow and OpenCV raise depends on where the damage is.
    except Exception:
        return None
    return None if image is None else cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
