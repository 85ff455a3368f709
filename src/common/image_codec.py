"""Images as bytes: JPEG, or PNG where every pixel counts."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]
CODECS = ("jpeg", "png")


def encode_image(image: Image, codec: str, quality: int) -> bytes:
    """Encode an (H, W, 3) uint8 RGB image as ``jpeg`` (quality 1..100) or lossless ``png``."""
    if codec not in CODECS:
        raise ValueError(f"codec is {codec!r}, expected one of {CODECS}")
    parameters = [cv2.IMWRITE_JPEG_QUALITY, quality] if codec == "jpeg" else []
    suffix = ".jpg" if codec == "jpeg" else ".png"
    done, encoded = cv2.imencode(suffix, cv2.cvtColor(image, cv2.COLOR_RGB2BGR), parameters)
    assert done
    return bytes(encoded)


def decode_image(data: bytes) -> Image | None:
    """Decode to (H, W, 3) uint8 RGB; None if the bytes are no image."""
    if not data:
        return None
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    return None if image is None else cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
