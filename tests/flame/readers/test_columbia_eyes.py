"""Eye-pair crops of Columbia Gaze: any tree, numbers and angles of the photos, the frame."""

from pathlib import Path

import numpy as np
import pytest
from builders.columbia_names import photo_names
from builders.read_group import read_group
from PIL import Image

from common.store.skipped import Skipped
from flame.readers.columbia_eyes import ColumbiaEyesReader
from flame.readers.sample import RawSample


def crop_pixels(size: tuple[int, int] = (300, 140)) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 200, size[::-1]).astype(np.uint8)


def write_crop(path: Path, size: tuple[int, int] = (300, 140)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # Pillow reads by content: so the pixels of a .jpg are those that were written.
    Image.fromarray(crop_pixels(size)).save(path, format="png")


def write_subject(folder: Path, subject: str) -> None:
    for name in photo_names(subject):
        write_crop(folder / name)


def read(raw_dir: Path, subject: str = "0001") -> list[RawSample | Skipped]:
    return read_group(ColumbiaEyesReader(raw_dir), subject)


def test_crops_are_found_in_any_tree_by_their_names(tmp_path: Path) -> None:
    write_subject(tmp_path, "0001")
    write_subject(tmp_path / "a" / "b", "0002")
    for stray in ("notes.txt", "._0003_2m_0P_0V_0H.jpg", "__MACOSX/0003_2m_0P_0V_0H.jpg"):
        (tmp_path / stray).parent.mkdir(exist_ok=True)
        (tmp_path / stray).write_bytes(b"x")
    write_crop(tmp_path / "holiday.jpg")
    assert ColumbiaEyesReader(tmp_path).groups() == ["0001", "0002"]
    names = [Path(name).stem for name in photo_names("0001")]
    items = read(tmp_path)
    assert [item.sample_id for item in items] == names
    assert [item.index for item in items if isinstance(item, RawSample)] == list(range(len(names)))


def test_angles_are_the_names(tmp_path: Path) -> None:
    write_crop(tmp_path / "0007_2m_15P_10V_-5H.jpg")
    (sample,) = read(tmp_path, "0007")
    assert isinstance(sample, RawSample)
    np.testing.assert_allclose(sample.gaze, np.deg2rad([-5, 10]))
    np.testing.assert_allclose(sample.head_pose, np.deg2rad([0, 15, 0]))
    assert (sample.subject, sample.group, sample.camera_matrix) == ("0007", "0007", None)
    assert ColumbiaEyesReader(tmp_path).gaze_convention == "columbia_target_angles"


@pytest.mark.parametrize("size", [(300, 140), (301, 139), (384, 240)])
def test_a_crop_lies_unscaled_on_a_frame_of_its_brightness(
    size: tuple[int, int], tmp_path: Path
) -> None:
    write_crop(tmp_path / "0001_2m_0P_0V_0H.jpg", size)
    (sample,) = read(tmp_path)
    assert isinstance(sample, RawSample)
    assert sample.eye_pair_xyxy_px is not None
    x0, y0, x1, y1 = sample.eye_pair_xyxy_px
    assert sample.image.shape == (240, 384, 3)
    np.testing.assert_array_equal(
        sample.image[y0:y1, x0:x1], np.repeat(crop_pixels(size)[..., None], 3, axis=2)
    )
    assert abs(x0 - (384 - x1)) <= 1
    assert abs(y0 - (240 - y1)) <= 1
    around = np.ones((240, 384), bool)
    around[y0:y1, x0:x1] = False
    assert (sample.image[around] == int(crop_pixels(size).mean())).all()


def test_what_is_no_crop_is_skipped_and_keeps_its_number(tmp_path: Path) -> None:
    write_subject(tmp_path, "0001")
    (tmp_path / "0001_2m_-15P_-10V_-5H.jpg").write_bytes(b"no photo")
    write_crop(tmp_path / "0001_2m_-15P_-10V_0H.jpg", (385, 140))
    write_crop(tmp_path / "again" / "0001_2m_0P_10V_0H.jpg")
    write_crop(tmp_path / "0001_closed.jpg")
    items = read(tmp_path)
    reasons = [item.reason for item in items if isinstance(item, Skipped)]
    facts = (
        *("UnidentifiedImageError", "385 x 140, expected 384 x 240"),
        *("<subject>_<d>m_<p>P_<v>V_<h>H.jpg", "0001_2m_0P_10V_0H.jpg"),
    )
    assert all(fact in reason for fact, reason in zip(facts, reasons, strict=True))
    assert isinstance(items[2], RawSample)
    assert items[2].index == 2


def test_a_folder_without_crops_says_what_they_are_called(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "absent"):
        with pytest.raises(ValueError, match=r"0001_2m_-15P_10V_-5H"):
            ColumbiaEyesReader(folder).groups()
