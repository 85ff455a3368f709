"""A photo as its camera took it: upright, with the intrinsics that its EXIF tells."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from common.arrays import Array, Float
from common.media.pixels import check_pixels

_EXIF_IFD, _ORIENTATION = 0x8769, 0x0112
_QUARTER_TURNS = (5, 6, 7, 8)
_FOCAL_LENGTH_MM, _FOCAL_LENGTH_IN_35MM_FILM = 0x920A, 0xA405
# The frame of 35 mm film: 36 mm x 24 mm.
_FILM_DIAGONAL_MM = math.hypot(36, 24)
# Told by their first bytes. Pillow takes more, some of them for want of a better guess.
_PHOTO_FORMATS = (
    *("JPEG", "MPO", "PNG", "BMP", "GIF", "TIFF", "WEBP", "AVIF", "HEIF", "JPEG2000", "PPM", "PSD"),
)
INSTALL_HEIF = "pip install 'gaze-suite[heic]'"
# The brands of ISO/IEC 23008-12 that iPhones and Android phones write.
_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
# What numbers without a format of their own go up to: shares of white, 8 bits, 16 bits.
_FULL_SCALES = (1.0, 255.0, 65535.0)


class UnreadablePhotoError(ValueError):
    """A file that cannot be read as a photo; its message says why."""


class Photo(NamedTuple):
    """An upright photo.

    Attributes:
        image: (H, W, 3) uint8 RGB.
        camera_matrix: (3, 3) intrinsics in pixels, None if the file does not tell.
    """

    image: npt.NDArray[np.uint8]
    camera_matrix: Float | None


def is_photo(path: Path) -> bool:
    """Return whether a file is a photo by its first bytes; it may be damaged behind them.

    A GIF that moves is none.
    """
    try:
        with Image.open(path) as file:
            moves = file.format == "GIF" and getattr(file, "is_animated", False)
            return file.format in _PHOTO_FORMATS and not moves
    except Image.DecompressionBombError:
        return True
    except Exception:  # whatever a damaged head makes Pillow's plugins raise
        return _is_heif(path)


def read_photo(path: Path, sensor_width_mm: float | None = None) -> Photo:
    """Read a photo, turned upright as its EXIF says.

    Args:
        path: any format Pillow knows; HEIC with the extra of that name.
        sensor_width_mm: see `focal_length_px`.

    Raises:
        UnreadablePhotoError: If it is missing, damaged or no photo.
    """
    with _opened(path) as file:
        exif = dict(file.getexif().get_ifd(_EXIF_IFD))
        image = _rgb(ImageOps.exif_transpose(file))
    height, width = image.shape[:2]
    focal_px = focal_length_px(exif, width, height, sensor_width_mm)
    if focal_px is None:
        return Photo(image, None)
    x, y = (width - 1) / 2, (height - 1) / 2
    return Photo(image, np.array([[focal_px, 0, x], [0, focal_px, y], [0, 0, 1]], np.float64))


def photo_size(path: Path) -> tuple[int, int]:
    """Return width and height in pixels of an upright photo, by its header alone.

    Raises:
        UnreadablePhotoError: If it is missing or no photo; damage behind the header is not seen.
    """
    with _opened(path) as file:
        (width, height), turn = file.size, file.getexif().get(_ORIENTATION)
    return (height, width) if turn in _QUARTER_TURNS else (width, height)


def focal_length_px(
    exif: dict[int, Any], width: int, height: int, sensor_width_mm: float | None = None
) -> float | None:
    """Return the focal length in pixels that EXIF tells, None if it does not.

    Args:
        exif: values by tag of EXIF's own directory.
        width: of the photo in pixels, which must not have been cropped.
        height: likewise.
        sensor_width_mm: long side of the sensor, if known: then the focal length counts. Without
            it only the length that is equivalent on 35 mm film counts, by the frames' diagonals
            (CIPA DCG-001).
    """
    if sensor_width_mm is not None:
        # The sensor's width is the photo's long side, also when the photo was taken upright.
        focal_px = _number(exif, _FOCAL_LENGTH_MM) / sensor_width_mm * max(width, height)
    else:
        film_mm = _number(exif, _FOCAL_LENGTH_IN_35MM_FILM)
        focal_px = film_mm / _FILM_DIAGONAL_MM * math.hypot(width, height)
    return focal_px if focal_px > 0 and math.isfinite(focal_px) else None


def _number(exif: dict[int, Any], tag: int) -> float:
    """Return a value; 0, EXIF's word for unknown, where there is none or it is no number."""
    try:
        return float(exif.get(tag, 0))
    except (TypeError, ValueError, ZeroDivisionError):
        return 0.0


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    """Yield an open photo of a size that can be decoded; damage is an `UnreadablePhotoError`."""
    try:
        if _is_heif(path):
            _learn_heif()
        with Image.open(path) as file:
            try:
                check_pixels(*file.size, path.stat().st_size)
            except ValueError as error:
                raise UnreadablePhotoError(f"unreadable photo: {error}") from error
            yield file
    except UnreadablePhotoError:
        raise
    # What Pillow's decoders raise depends on where the damage is.
    except Exception as error:
        is_empty = path.is_file() and not path.stat().st_size
        why = "the file is empty" if is_empty else type(error).__name__
        raise UnreadablePhotoError(f"unreadable photo: {why}") from error


def _is_heif(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            head = file.read(12)
    except OSError:
        return False
    return head[4:8] == b"ftyp" and head[8:] in _HEIF_BRANDS


def _learn_heif() -> None:
    """Let Pillow open HEIC, which it does turned upright already.

    Raises:
        UnreadablePhotoError: If the extra is not installed.
    """
    try:
        from pillow_heif import register_heif_opener  # optional extra
    except ImportError as error:
        raise UnreadablePhotoError(
            f"unreadable photo: HEIC needs an extra, {INSTALL_HEIF}; or convert it to JPEG"
        ) from error
    register_heif_opener()


def _rgb(photo: Image.Image) -> npt.NDArray[np.uint8]:
    if photo.mode.startswith("I;16"):
        # Pillow would clip 16-bit grey at 255.
        photo = Image.fromarray((np.asarray(photo) >> 8).astype(np.uint8))
    elif photo.mode in ("I", "F"):
        photo = Image.fromarray(_eight_bit(np.asarray(photo)))
    return np.asarray(photo.convert("RGB"))


def _eight_bit(grey: Array) -> npt.NDArray[np.uint8]:
    """Return grey values, floating-point or of 32 bits, as bytes.

    Raises:
        UnreadablePhotoError: If it cannot be told what is white.
    """
    low, high = float(grey.min()), float(grey.max())
    scales = _FULL_SCALES if grey.dtype.kind == "f" else _FULL_SCALES[1:]
    white = next((scale for scale in scales if high <= scale), None)
    if white is None or not low >= 0:
        raise UnreadablePhotoError(
            f"unreadable photo: grey values from {low:g} to {high:g}; expected 0 to "
            f"{', '.join(f'{scale:g}' for scale in scales)}: convert it to 8 or 16 bits"
        )
    return np.asarray(np.rint(grey * (255 / white)), np.uint8)
