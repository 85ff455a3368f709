"""Photos as the camera took them: upright, with the focal length that EXIF tells."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from common.media.photo import (
    UnreadablePhotoError,
    focal_length_px,
    is_photo,
    photo_size,
    read_photo,
)

ORIENTATION, EXIF_IFD = 0x0112, 0x8769
FOCAL_LENGTH, IN_35MM_FILM = 0x920A, 0xA405


def write_photo(path: Path, size: tuple[int, int], orientation: int = 1, **tags: Any) -> Path:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    for name, tag in (("focal_mm", FOCAL_LENGTH), ("film_mm", IN_35MM_FILM)):
        if name in tags:
            exif.get_ifd(EXIF_IFD)[tag] = tags[name]
    image = Image.new("RGB", size)
    image.paste((250, 0, 0), (0, 0, size[0] // 2, size[1]))  # the left half is red
    image.save(path, exif=exif)
    return path


def test_a_50_mm_lens_on_film_sees_as_it_does_on_film(tmp_path: Path) -> None:
    image, camera = read_photo(write_photo(tmp_path / "p.png", (3600, 24 * 100), film_mm=50))
    assert image.shape == (2400, 3600, 3)
    np.testing.assert_allclose(camera, [[5000, 0, 1799.5], [0, 5000, 1199.5], [0, 0, 1]])


def test_a_phones_frame_is_compared_by_its_diagonal() -> None:
    """A 3:4 frame as wide as film is higher than it: its diagonal is 45 mm."""
    focal_px = focal_length_px({IN_35MM_FILM: 26}, 4000, 3000)
    assert focal_px == pytest.approx(26 / 43.2666 * 5000, rel=1e-5)


def test_the_focal_length_itself_counts_only_with_a_known_sensor(tmp_path: Path) -> None:
    path = write_photo(tmp_path / "p.jpg", (446, 300), focal_mm=85)
    assert read_photo(path).camera_matrix is None
    camera = read_photo(path, sensor_width_mm=22.3).camera_matrix
    assert camera is not None
    assert camera[0, 0] == pytest.approx(1700)


@pytest.mark.parametrize("value", [-5, float("nan"), "long", (1, 2)])
def test_a_focal_length_that_is_none_is_not_used(value: Any) -> None:
    assert focal_length_px({IN_35MM_FILM: value}, 300, 200) is None
    assert focal_length_px({}, 300, 200) is None


@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_a_photo_taken_upright_is_turned_upright(tmp_path: Path, suffix: str) -> None:
    path = write_photo(tmp_path / f"p.{suffix}", (300, 200), orientation=6, film_mm=50)
    image, camera = read_photo(path)
    assert image.shape == (300, 200, 3)
    # Turned clockwise, left becomes top.
    np.testing.assert_allclose(image[:140].mean((0, 1)), [250, 0, 0], atol=3)
    np.testing.assert_allclose(image[160:].mean((0, 1)), 0, atol=3)
    assert camera is not None
    np.testing.assert_allclose(camera[:2, 2], [99.5, 149.5])


def test_16_bit_grey_becomes_8_bit(tmp_path: Path) -> None:
    Image.fromarray(np.full((4, 5), 128 * 256, np.uint16)).save(tmp_path / "p.png")
    np.testing.assert_array_equal(read_photo(tmp_path / "p.png").image, np.full((4, 5, 3), 128))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([[0.0, 0.5, 1.0]], np.float32), [0, 128, 255]),
        (np.array([[0.0, 128.0, 255.0]], np.float32), [0, 128, 255]),
        (np.array([[0, 128, 255]], np.int32), [0, 128, 255]),
        (np.array([[0, 257 * 128, 65535]], np.int32), [0, 128, 255]),
    ],
)
def test_grey_of_32_bits_is_scaled(tmp_path: Path, values: np.ndarray, expected: list[int]) -> None:
    Image.fromarray(values).save(tmp_path / "p.tiff")
    np.testing.assert_array_equal(read_photo(tmp_path / "p.tiff").image[0, :, 0], expected)


@pytest.mark.parametrize(
    "values",
    [
        np.array([[0, 70000]], np.int32),
        np.array([[-1, 5]], np.int32),
        np.array([[0, np.nan]], np.float32),
    ],
)
def test_grey_without_a_known_white_is_refused(tmp_path: Path, values: np.ndarray) -> None:
    Image.fromarray(values).save(tmp_path / "p.tiff")
    with pytest.raises(UnreadablePhotoError, match=rf"{values.max():g}.*255"):
        read_photo(tmp_path / "p.tiff")


def write_heic(path: Path, **saved: Any) -> Path:
    pillow_heif = pytest.importorskip("pillow_heif")
    image = np.zeros((64, 96, 3), np.uint8)
    image[:, :48, 0] = 250
    pillow_heif.from_pillow(Image.fromarray(image)).save(path, quality=95, **saved)
    return path


def test_heic_is_read_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    image = read_photo(write_heic(tmp_path / "p.HEIC", exif=exif.tobytes())).image
    assert image.shape == (96, 64, 3)
    assert photo_size(tmp_path / "p.HEIC") == (64, 96)
    # Turned clockwise, left becomes top.
    np.testing.assert_allclose(image[:40].mean((0, 1)), [250, 0, 0], atol=8)


def test_without_its_extra_heic_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    (tmp_path / "p.HEIC").write_bytes(b"\0\0\0\x18ftypheic" + bytes(100))
    assert is_photo(tmp_path / "p.HEIC")
    for read in (read_photo, photo_size):
        with pytest.raises(UnreadablePhotoError, match=r"gaze-suite\[heic\]"):
            read(tmp_path / "p.HEIC")


def test_what_is_too_large_is_a_photo_that_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_photo(tmp_path / "p.jpg", (30, 20))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 30 * 20 // 3)
    assert is_photo(path)
    with pytest.raises(UnreadablePhotoError, match="DecompressionBomb"):
        read_photo(path)


@pytest.mark.parametrize("content", [b"", b"no photo", None])
def test_what_is_no_photo_is_said(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "p.jpg"
    if content is not None:
        path.write_bytes(content)
    for read in (read_photo, photo_size):
        with pytest.raises(UnreadablePhotoError, match="unreadable"):
            read(path)


@pytest.mark.parametrize("orientation", [1, 4, 5, 8])
def test_the_size_is_that_of_the_upright_photo(tmp_path: Path, orientation: int) -> None:
    path = write_photo(tmp_path / "p.jpg", (30, 20), orientation)
    height, width = read_photo(path).image.shape[:2]
    assert photo_size(path) == (width, height)
