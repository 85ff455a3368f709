import pickle
import re
import shutil
import tracemalloc

import numpy as np
import pytest
from builders.read_group import read_group

from common.store.skipped import Skipped
from flame.preprocessing.layout_export import LayoutSample, check_space, export_layout
from flame.readers.flame_layout import FlameLayoutReader
from flame.readers.sample import RawSample

HEIGHT, WIDTH = 30, 24


def _samples(subjects=("s1", "s2"), num=3):
    rng = np.random.default_rng(0)
    return [
        LayoutSample(
            subject=subject,
            image=rng.integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8),
            landmarks=rng.uniform(2, 20, 112),
            head_pose=rng.uniform(-1, 1, 3),
            gaze=rng.uniform(-0.3, 0.3, 2),
        )
        for subject in subjects
        for _ in range(num)
    ]


@pytest.fixture
def raw_dir(tmp_path):
    export_layout(_samples(), tmp_path / "flame", heatmaps=False)
    return tmp_path / "flame"


def _read(raw_dir, group="s1"):
    return read_group(FlameLayoutReader(raw_dir), group)


def _dump(path, value):
    path.write_bytes(pickle.dumps(value))


def test_export_and_read_round_trip(raw_dir):
    reader = FlameLayoutReader(raw_dir)
    assert reader.groups() == ["s1", "s2"]
    items = [item for group in reader.groups() for item in reader.read(group)]
    for item, sample in zip(items, _samples(), strict=True):
        assert (item.subject, item.group) == (sample.subject, sample.subject)
        np.testing.assert_array_equal(item.image, sample.image)
        np.testing.assert_array_equal(item.landmarks, sample.landmarks)
        np.testing.assert_array_equal(item.head_pose, sample.head_pose)
        np.testing.assert_array_equal(item.gaze, sample.gaze)
    assert [(item.sample_id, item.index) for item in items[:3]] == [
        ("s1_00001", 0),
        ("s1_00002", 1),
        ("s1_00003", 2),
    ]


def test_exported_files_have_the_published_form(tmp_path):
    """Images uint8; labels ordinary pickles of protocol 4; heatmaps (H, W, 28) in C order."""
    samples = _samples(num=1)
    assert export_layout(samples, tmp_path / "x") == {"s1": 1, "s2": 1}
    names = {path.name for path in (tmp_path / "x").iterdir()}
    assert names == {"images", "heatmaps", "facial_landmarks_2d", "head_pose", "gaze_angles"}
    data = (tmp_path / "x" / "facial_landmarks_2d" / "s1.pkl").read_bytes()
    assert data[:2] == b"\x80\x04"
    np.testing.assert_array_equal(pickle.loads(data), samples[0].landmarks[None])
    heatmap = np.load(tmp_path / "x" / "heatmaps" / "s1" / "1.npy")
    assert (heatmap.shape, heatmap.dtype) == ((HEIGHT, WIDTH, 28), np.dtype("<f8"))
    assert heatmap.flags.c_contiguous


def test_exported_heatmap_is_two_normal_densities_a_channel(tmp_path):
    sample = _samples(num=1)[0]
    export_layout([sample], tmp_path / "x")
    heatmap = np.load(tmp_path / "x" / "heatmaps" / "s1" / "1.npy")
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    points = sample.landmarks.reshape(2, 56)
    for channel in (0, 13, 27):
        expected = sum(
            np.exp(-((x - points[0, i]) ** 2 + (y - points[1, i]) ** 2) / 2) / (2 * np.pi)
            for i in (channel, channel + 28)
        )
        np.testing.assert_allclose(heatmap[..., channel], expected, atol=1e-6)


def test_gaze_target_folder_is_accepted_and_gaze_angles_goes_first(raw_dir):
    (raw_dir / "gaze_angles").rename(raw_dir / "gaze_target")
    np.testing.assert_array_equal(_read(raw_dir)[0].gaze, _samples()[0].gaze)
    (raw_dir / "gaze_angles").mkdir()
    _dump(raw_dir / "gaze_angles" / "s1.pkl", np.ones((3, 2)))
    np.testing.assert_array_equal(_read(raw_dir)[0].gaze, [1, 1])


def test_stray_files_shift_nothing(raw_dir):
    before = _read(raw_dir)
    for folder in ("images", "images/s1", "gaze_angles", "head_pose"):
        (raw_dir / folder / ".DS_Store").write_bytes(b"x")
        (raw_dir / folder / "0 notes.txt").write_bytes(b"x")
    (raw_dir / "images" / "s1" / "._1.npy").write_bytes(b"x")
    (raw_dir / "gaze_angles" / "._s1.pkl").write_bytes(b"x")
    assert FlameLayoutReader(raw_dir).groups() == ["s1", "s2"]
    for one, other in zip(before, _read(raw_dir), strict=True):
        assert one.sample_id == other.sample_id
        np.testing.assert_array_equal(one.image, other.image)
        np.testing.assert_array_equal(one.gaze, other.gaze)


def test_images_are_paired_by_number_not_by_name_order(tmp_path):
    export_layout(_samples(("s1",), num=12), tmp_path / "x", heatmaps=False)
    samples = _samples(("s1",), num=12)
    for item in _read(tmp_path / "x"):
        np.testing.assert_array_equal(item.image, samples[item.index].image)
        np.testing.assert_array_equal(item.gaze, samples[item.index].gaze)


@pytest.mark.parametrize("dtype", ["f4", ">i2", "u2"])
def test_whole_numbers_of_any_type_become_uint8(raw_dir, dtype):
    image = _samples()[0].image
    np.save(raw_dir / "images" / "s1" / "1.npy", image.astype(dtype))
    item = _read(raw_dir)[0]
    assert item.image.dtype == np.uint8
    np.testing.assert_array_equal(item.image, image)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (np.full((4, 4, 3), 0.5), "0..255"),
        (np.full((4, 4, 3), 256), "0..255"),
        (np.full((4, 4, 3), -1), "0..255"),
        (np.full((4, 4, 3), np.nan), "float64"),
        (np.zeros((4, 4)), "(4, 4)"),
        (np.array([{}] * 3), "(3,) of object"),
    ],
)
def test_images_that_are_none_are_skipped(raw_dir, values, reason):
    np.save(raw_dir / "images" / "s1" / "2.npy", values)
    items = _read(raw_dir)
    assert isinstance(items[1], Skipped)
    assert items[1].sample_id == "s1_00002"
    assert reason in items[1].reason
    assert [items[0].index, items[2].index] == [0, 2]


def test_truncated_missing_and_surplus_images_are_skipped(raw_dir):
    folder = raw_dir / "images" / "s1"
    (folder / "1.npy").write_bytes((folder / "1.npy").read_bytes()[:200])
    (folder / "4.npy").write_bytes((folder / "2.npy").read_bytes())
    (folder / "2.npy").unlink()
    reasons = [item.reason for item in _read(raw_dir) if isinstance(item, Skipped)]
    facts = ("(30, 24, 3) of uint8", "no image", "no labels")
    assert all(fact in reason for fact, reason in zip(facts, reasons, strict=True))


def test_images_numbered_from_0_are_refused_as_a_whole(raw_dir):
    folder = raw_dir / "images" / "s1"
    for number in (1, 2, 3):
        (folder / f"{number}.npy").rename(folder / f"{number - 1}.npy")
    items = list(FlameLayoutReader(raw_dir).read("s1"))
    assert {"from 0" in item.reason for item in items} == {True}


@pytest.mark.parametrize(
    ("file", "value", "reason"),
    [
        (
            "head_pose/s1.pkl",
            np.zeros((2, 3)),
            r"gaze_angles 3, head_pose 2, facial_landmarks_2d 3",
        ),
        ("head_pose/s1.pkl", np.zeros((3, 4)), r"head_pose/s1\.pkl .*\(3, 4\).*\(N, 3\)"),
        ("gaze_angles/s1.pkl", {"a": 1}, r"gaze_angles/s1\.pkl .*table"),
        ("gaze_angles/s1.pkl", [slice(1)], r"gaze_angles/s1\.pkl .*builtins\.slice"),
        ("head_pose/s1.pkl", np.full((3, 3), 20.0), r"head_pose/s1\.pkl .*radians"),
        ("gaze_angles/s1.pkl", [[0, 0], [0, -15], [np.nan, 0]], r"gaze_angles/s1\.pkl .*radians"),
        ("facial_landmarks_2d/s1.pkl", None, r"facial_landmarks_2d/s1\.pkl"),
    ],
)
def test_unusable_labels_skip_the_subject_and_name_the_file(raw_dir, file, value, reason):
    (raw_dir / file).unlink()
    if value is not None:
        _dump(raw_dir / file, value)
    items = _read(raw_dir)
    assert len(items) == 3
    for item in items:
        assert isinstance(item, Skipped)
        assert re.search(reason, item.reason)
    assert all(isinstance(item, RawSample) for item in _read(raw_dir, "s2"))


def test_an_angle_of_pi_in_float32_is_one(raw_dir):
    """Rounded to float32, pi is beyond pi; wrapped angles hold it."""
    wrapped = np.full((3, 2), np.pi, dtype=np.float32)
    (raw_dir / "gaze_angles" / "s1.pkl").unlink()
    _dump(raw_dir / "gaze_angles" / "s1.pkl", wrapped)
    assert all(isinstance(item, RawSample) for item in _read(raw_dir))


def test_labels_as_lists_of_rows_are_read(raw_dir):
    rows = [list(sample.gaze) for sample in _samples()[:3]]
    _dump(raw_dir / "gaze_angles" / "s1.pkl", rows)
    np.testing.assert_array_equal([item.gaze for item in _read(raw_dir)], rows)


def test_a_subject_has_another_fingerprint_once_its_files_changed(raw_dir):
    reader = FlameLayoutReader(raw_dir)
    first, other = reader.fingerprint("s1"), reader.fingerprint("s2")
    (raw_dir / "images" / "s1" / "2.npy").unlink()
    fewer = reader.fingerprint("s1")
    _dump(raw_dir / "head_pose" / "s1.pkl", np.zeros((3, 3)))
    assert len({first, fewer, reader.fingerprint("s1"), other}) == 4
    assert reader.fingerprint("s2") == other
    assert reader.fingerprint("nobody") is None


def test_labels_that_are_not_finite_are_skipped(raw_dir):
    _dump(raw_dir / "gaze_angles" / "s1.pkl", np.array([[0.1, 0], [np.nan, 0], [0.2, 0]]))
    items = _read(raw_dir)
    assert "finite" in items[1].reason


def test_the_owner_may_say_what_the_angles_mean(raw_dir):
    assert FlameLayoutReader(raw_dir).gaze_convention == "flame_layout"
    reader = FlameLayoutReader(raw_dir, gaze_convention="eyediap_published")
    assert reader.gaze_convention == "eyediap_published"
    with pytest.raises(ValueError, match=r"gaze_convention.*'columbia'.*eyediap_published"):
        FlameLayoutReader(raw_dir, gaze_convention="columbia")


def test_a_layout_may_be_of_normalised_faces(raw_dir):
    assert FlameLayoutReader(raw_dir).gaze_frame == "camera"
    assert FlameLayoutReader(raw_dir, gaze_frame="normalised").gaze_frame == "normalised"
    with pytest.raises(ValueError, match=r"gaze_frame.*'world'.*'camera', 'normalised'"):
        FlameLayoutReader(raw_dir, gaze_frame="world")


def test_eyediap_sessions_keep_their_person(tmp_path):
    export_layout(_samples(("10_A_CS_S",)), tmp_path / "x", heatmaps=False)
    item = _read(tmp_path / "x", "10_A_CS_S")[0]
    assert (item.subject, item.group) == ("10", "10_A_CS_S")


def test_wrong_folder_says_what_is_missing(raw_dir):
    with pytest.raises(ValueError, match=r"images, facial_landmarks_2d.*gaze_target"):
        FlameLayoutReader(raw_dir / "images").groups()
    for folder in ("images", "gaze_angles"):
        shutil.rmtree(raw_dir / folder)
        (raw_dir / folder).mkdir()
    with pytest.raises(ValueError, match="no subject"):
        FlameLayoutReader(raw_dir).groups()


def test_export_refuses_a_used_folder_and_scattered_subjects(raw_dir, tmp_path):
    with pytest.raises(ValueError, match=r"flame .*images/"):
        export_layout(_samples(), raw_dir)
    scattered = _samples(("s1", "s2", "s1"), num=1)
    with pytest.raises(ValueError, match=r" s1 .*two"):
        export_layout(scattered, tmp_path / "y", heatmaps=False)


def test_an_export_that_the_drive_cannot_hold_is_refused_with_figures(tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)._replace(free=10**9)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    out_dir = tmp_path / "new" / "layout"
    check_space(out_dir, (480, 384, 3), 23, heatmaps=True)
    with pytest.raises(ValueError, match=r"24 .*41\.8 MB.* 1\.0 GB .*export_heatmaps=false"):
        check_space(out_dir, (480, 384, 3), 24, heatmaps=True)
    check_space(out_dir, (480, 384, 3), 1800, heatmaps=False)
    with pytest.raises(ValueError, match=r"1900 .* 1\.1 GB"):
        check_space(out_dir, (480, 384, 3), 1900, heatmaps=False)


def test_interrupted_export_leaves_only_whole_subjects(tmp_path):
    def interrupted():
        yield from _samples(("s1",))
        yield from _samples(("s2",), num=1)
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        export_layout(interrupted(), tmp_path / "x")
    found = {str(p.relative_to(tmp_path / "x")) for p in (tmp_path / "x").rglob("*s[12]*")}
    assert found == {
        "images/s1",
        "heatmaps/s1",
        "facial_landmarks_2d/s1.pkl",
        "head_pose/s1.pkl",
        "gaze_angles/s1.pkl",
    }


@pytest.mark.parametrize(
    "shape",
    [
        "(6, 999999999999999999999999996, 3)",
        "(60000, 60000, 3)",
        "(-1, 4, 3)",
        "(4, 4, 3, " + "(" * 3000 + ")",
        "4",
        "{}[0]",
    ],
)
def test_a_header_that_lies_costs_its_image_alone(raw_dir, shape):
    header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    path = raw_dir / "images" / "s1" / "2.npy"
    path.write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)
    tracemalloc.start()
    items = _read(raw_dir)
    assert tracemalloc.get_traced_memory()[1] < 5e6
    tracemalloc.stop()
    assert [type(item) for item in items] == [RawSample, Skipped, RawSample]
    assert "unreadable" in items[1].reason


def test_an_array_in_fortrans_order_is_the_same_image(raw_dir):
    image = _samples()[0].image
    np.save(raw_dir / "images" / "s1" / "1.npy", np.asfortranarray(image))
    np.testing.assert_array_equal(_read(raw_dir)[0].image, image)
