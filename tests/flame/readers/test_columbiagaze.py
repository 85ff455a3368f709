import struct

import numpy as np
import pytest
from builders.columbia_names import LABELS, photo_names
from builders.read_group import read_group
from PIL import Image

from common.geometry import face_direction, gaze_vector
from common.store.skipped import Skipped
from flame.readers.columbiagaze import ColumbiaGazeReader
from flame.readers.sample import RawSample


def _write_photo(path, *, grey=128, focal_length_mm=None, size=(12, 8), orientation=None):
    exif = Image.Exif()
    if focal_length_mm is not None:
        exif.get_ifd(0x8769)[0x920A] = focal_length_mm
    if orientation is not None:
        exif[0x0112] = orientation
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (grey, 0, 255 - grey)).save(path, exif=exif)


def _write_subject(root, subject):
    for name in photo_names(subject):
        _write_photo(root / subject / name)


@pytest.fixture
def raw_dir(tmp_path):
    root = tmp_path / "Columbia Gaze Data Set"
    for subject in ("0002", "0001"):
        _write_subject(root, subject)
    (root / ".DS_Store").write_bytes(b"x")
    (root / "0001" / "._0001_2m_0P_0V_0H.jpg").write_bytes(b"x")
    (tmp_path / "__MACOSX" / "0001").mkdir(parents=True)
    (tmp_path / "__MACOSX" / "0001" / "0001_2m_0P_0V_0H.jpg").write_bytes(b"x")
    return tmp_path


def _read(raw_dir, subject="0001"):
    return read_group(ColumbiaGazeReader(raw_dir), subject)


@pytest.mark.parametrize("inner", ["", "Columbia Gaze Data Set"])
def test_folder_and_its_parent_are_accepted(raw_dir, inner):
    reader = ColumbiaGazeReader(raw_dir / inner)
    assert reader.groups() == ["0001", "0002"]
    assert reader.count("0001") == len(LABELS)


def test_photos_are_numbered_by_p_then_v_then_h(raw_dir):
    items = _read(raw_dir)
    assert [item.index for item in items] == list(range(len(LABELS)))
    assert [f"{item.sample_id}.jpg" for item in items] == photo_names("0001")


def test_labels_follow_the_angle_contract(raw_dir):
    sample = next(item for item in _read(raw_dir) if item.sample_id == "0001_2m_15P_10V_5H")
    np.testing.assert_allclose(sample.gaze, np.deg2rad([5, 10]))
    np.testing.assert_allclose(sample.head_pose, np.deg2rad([0, 15, 0]))
    right, up, toward_camera = gaze_vector(sample.gaze)
    assert right > 0
    assert up > 0
    assert toward_camera > 0.9
    # +P turns the head to the image's right.
    np.testing.assert_allclose(face_direction(sample.head_pose), np.deg2rad([15, 0]), atol=1e-12)
    assert (sample.subject, sample.group, sample.frame) == ("0001", "0001", None)


def test_images_are_rgb(raw_dir):
    image = _read(raw_dir)[0].image
    assert (image.shape, image.dtype) == ((8, 12, 3), np.uint8)
    assert image[..., 0].mean() > 100
    assert image[..., 1].mean() < 30


def test_focal_length_of_exif_gives_the_intrinsics(tmp_path):
    """85 mm on a 22.3 mm wide sensor of 5184 px is 19760 px."""
    _write_photo(tmp_path / "0001" / "0001_2m_0P_0V_0H.jpg", focal_length_mm=85, size=(5184, 2))
    camera_matrix = _read(tmp_path)[0].camera_matrix
    np.testing.assert_allclose(camera_matrix[0, 0], 19760, atol=0.5)
    np.testing.assert_allclose(camera_matrix[:2, 2], [2591.5, 0.5])


def test_without_exif_there_are_no_intrinsics(raw_dir):
    assert _read(raw_dir)[0].camera_matrix is None


def test_exif_orientation_is_applied(tmp_path):
    path = tmp_path / "0001" / "0001_2m_0P_0V_0H.jpg"
    _write_photo(path, focal_length_mm=85, size=(12, 8), orientation=6)
    sample = _read(tmp_path)[0]
    assert sample.image.shape == (12, 8, 3)
    np.testing.assert_allclose(sample.camera_matrix[0, 0], 85 / 22.3 * 12)


@pytest.mark.parametrize("damage", ["truncated", "empty", "text"])
def test_damaged_photo_is_skipped_and_keeps_its_number(raw_dir, damage):
    path = raw_dir / "Columbia Gaze Data Set" / "0001" / "0001_2m_-15P_-10V_0H.jpg"
    _write_photo(path, size=(200, 100))
    contents = {"truncated": path.read_bytes()[:700], "empty": b"", "text": b"no photo"}
    path.write_bytes(contents[damage])
    items = _read(raw_dir)
    assert isinstance(items[1], Skipped)
    assert items[1].sample_id == path.stem
    assert "unreadable" in items[1].reason
    assert items[2].index == 2


def test_a_photo_with_a_damaged_exif_is_skipped(raw_dir):
    """Upright by EXIF, with a width that is no number: Pillow raises struct.error."""
    path = raw_dir / "Columbia Gaze Data Set" / "0001" / "0001_2m_-15P_-10V_0H.jpg"
    entries = struct.pack("<HHLHH", 0x112, 3, 1, 6, 0) + struct.pack("<HHL4s", 0x100, 2, 4, b"\xff")
    exif = b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", 2) + entries + bytes(4)
    Image.new("RGB", (12, 8)).save(path, exif=exif)
    items = _read(raw_dir)
    assert [isinstance(item, Skipped) for item in items[:3]] == [False, True, False]
    assert "unreadable" in items[1].reason


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("holiday.jpg", "<p>P_<v>V_<h>H"),
        ("0002_2m_0P_0V_0H.jpg", "0002, folder says 0001"),
        ("0001_2m_-15P_10V_5H.jpeg", " 0001_2m_-15P_10V_5H.jpeg"),
    ],
)
def test_photo_without_a_usable_name_is_skipped_at_the_end(raw_dir, name, reason):
    _write_photo(raw_dir / "Columbia Gaze Data Set" / "0001" / name)
    (raw_dir / "Columbia Gaze Data Set" / "0001" / "notes.txt").write_text("x")
    items = _read(raw_dir)
    assert all(isinstance(item, RawSample) for item in items[:-1])
    assert reason in items[-1].reason
    assert [item.index for item in items[:-1]] == list(range(len(LABELS)))


def test_wrong_folder_says_what_a_right_one_looks_like(tmp_path):
    for folder in (tmp_path, tmp_path / "absent"):
        with pytest.raises(ValueError, match=r"0001/0001_2m_0P_0V_0H\.jpg"):
            ColumbiaGazeReader(folder).groups()


def test_two_data_sets_in_one_folder_are_ambiguous(tmp_path):
    _write_subject(tmp_path / "a", "0001")
    _write_subject(tmp_path / "b", "0001")
    with pytest.raises(ValueError, match="several"):
        ColumbiaGazeReader(tmp_path).groups()
