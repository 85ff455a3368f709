"""GazeHub's form: every set's places, the traps of yaw and pitch, damage."""

import pickle
from pathlib import Path

import numpy as np
import pytest
from builders.gazehub_tree import (
    HEADERS,
    LABELS,
    SCALE,
    GazeHubTree,
    coloured,
    hub_angles,
    write_gazehub,
)

from common.geometry import CAMERA_TO_VIEWER, gaze_angles, gaze_vector, mirror_gaze
from common.store.skipped import Skipped
from flame.readers import gazehub
from flame.readers.gazehub import GazeHubReader
from flame.readers.gazehub_labels import FORMS, read_header
from flame.readers.sample import RawSample

# Session 1_A_FT_M, frame 0: OpenCV's camera axes, and GazeHub's [yaw, pitch].
GOLDEN_VECTOR = (-0.4309506536, 0.3254669609, -0.8416369713)
GOLDEN_2D = (0.4732320905, -0.3315055370)


def samples(reader: GazeHubReader) -> list[RawSample]:
    found = [item for group in reader.groups() for item in reader.read(group)]
    assert not [item for item in found if isinstance(item, Skipped)]
    return found  # type: ignore[return-value]


def of_lines(tmp_path: Path, dataset: str, *lines: str) -> list[RawSample | Skipped]:
    """What a label file of these lines and the set's own header gives."""
    tree = write_gazehub(tmp_path / "tree", dataset, num_faces=1)
    stem, *others = LABELS[dataset]
    for other in others:
        tree.label(other).unlink()
    tree.label(stem).write_text("\n".join([HEADERS[dataset], *lines]) + "\n")
    reader = GazeHubReader(tree.root, dataset)
    return [item for group in reader.groups() for item in reader.read(group)]


@pytest.fixture(scope="module")
def trees(tmp_path_factory: pytest.TempPathFactory) -> dict[str, GazeHubTree]:
    """Every set, for tests that only read."""
    root = tmp_path_factory.mktemp("gazehub")
    return {dataset: write_gazehub(root / dataset, dataset) for dataset in FORMS}


@pytest.mark.parametrize("dataset", FORMS)
def test_gaze_and_head_come_from_their_places(dataset: str, trees: dict[str, GazeHubTree]) -> None:
    tree = trees[dataset]
    found = samples(GazeHubReader(tree.root, dataset))
    stems = sorted(tree.gaze)
    gaze = np.concatenate([tree.gaze[stem] for stem in stems])
    np.testing.assert_allclose([one.gaze for one in found], gaze, atol=1e-12)
    if dataset == "gaze360":
        assert all(one.head_pose is None for one in found)
    else:
        head = np.concatenate([tree.head[stem] for stem in stems])
        np.testing.assert_allclose([one.head_pose for one in found], head, atol=1e-12)
    assert len({one.sample_id for one in found}) == len(found)


@pytest.mark.parametrize("dataset", FORMS)
def test_images_belong_to_their_lines(dataset: str, trees: dict[str, GazeHubTree]) -> None:
    tree = trees[dataset]
    reader = GazeHubReader(tree.root, dataset)
    for stem in tree.gaze:
        for number, one in enumerate(reader.read(stem)):
            assert isinstance(one, RawSample)
            assert np.abs(one.image.astype(int) - coloured(stem, number)).max() < 12
            assert one.index == number
            np.testing.assert_array_equal(one.face_hint_px, [32, 32])


@pytest.mark.parametrize(
    ("dataset", "subjects"),
    [
        ("mpiifacegaze", {"p00", "p01", "p02"}),
        ("eyediap", {"p1", "p2", "p5"}),
        ("gaze360", {"rec_001/head/000002"}),
        ("rtgene", {"s001", "s014"}),
        ("eth_xgaze", {"subject0003"}),
    ],
)
def test_people_are_told_as_each_set_does_and_only_gaze360_brings_lists(
    dataset: str, subjects: set[str], trees: dict[str, GazeHubTree]
) -> None:
    found = samples(GazeHubReader(trees[dataset].root, dataset))
    assert {one.subject for one in found} == subjects
    parts = {"train", "val", "test"} if dataset == "gaze360" else {None}
    assert {one.part for one in found} == parts


def test_the_header_tells_the_data_set(trees: dict[str, GazeHubTree]) -> None:
    for dataset in ("mpiifacegaze", "gaze360", "eth_xgaze"):
        assert GazeHubReader(trees[dataset].root).dataset == dataset


def test_two_sets_with_one_header_must_be_told_apart(trees: dict[str, GazeHubTree]) -> None:
    with pytest.raises(ValueError, match=r"data\.reader\.dataset=eyediap\|rtgene"):
        GazeHubReader(trees["rtgene"].root)


def test_frames_and_conventions(trees: dict[str, GazeHubTree]) -> None:
    told = {}
    for dataset in FORMS:
        reader = GazeHubReader(trees[dataset].root, dataset)
        told[dataset] = (reader.gaze_frame, reader.gaze_convention)
    assert told == {
        "mpiifacegaze": ("normalised", "face_centre_to_target_scaled"),
        "eyediap": ("normalised", "face_centre_to_target"),
        "gaze360": ("camera", "gaze360"),
        "rtgene": ("normalised", "face_centre_to_target"),
        "eth_xgaze": ("normalised", "face_centre_to_target"),
    }


def test_the_golden_vector(tmp_path: Path) -> None:
    vector, angles = (",".join(map(str, values)) for values in (GOLDEN_VECTOR, GOLDEN_2D))
    line = f"p1/face/1.jpg l r 1_A_FT_M_0 {vector} 0,0,1 {angles} 0,0"
    (found,) = of_lines(tmp_path, "eyediap", line)
    assert isinstance(found, RawSample)
    viewer = CAMERA_TO_VIEWER @ np.array(GOLDEN_VECTOR)
    np.testing.assert_allclose(gaze_vector(found.gaze), viewer, atol=1e-9)


def test_a_mirrored_line_is_the_mirrored_gaze(tmp_path: Path) -> None:
    (yaw, pitch), (x, y, z) = GOLDEN_2D, GOLDEN_VECTOR
    lines = [
        f"p1/face/1.jpg l r n {sign * x},{y},{z} 0,0,1 {sign * yaw},{pitch} {sign * 0.2},0.1"
        for sign in (1, -1)
    ]
    seen, mirrored = of_lines(tmp_path, "eyediap", *lines)
    assert isinstance(seen, RawSample)
    assert isinstance(mirrored, RawSample)
    np.testing.assert_allclose(mirrored.gaze, mirror_gaze(seen.gaze))
    # Looks to the image's left and down, the face points to the left and up.
    assert seen.gaze[0] < 0
    assert seen.gaze[1] < 0
    assert seen.head_pose is not None
    assert seen.head_pose[1] < 0  # +yaw turns the face to the image's right
    assert seen.head_pose[0] < 0  # +pitch turns it down


def swap(tree: GazeHubTree) -> None:
    """Write every 2D gaze as [pitch, yaw]."""
    for stem, gaze in tree.gaze.items():
        for one in gaze:
            yaw, pitch = (repr(float(value)) for value in hub_angles(one))
            tree.edit(stem, f" {yaw},{pitch}", f" {pitch},{yaw}")


@pytest.mark.parametrize("dataset", ["mpiifacegaze", "gaze360"])
def test_swapped_yaw_and_pitch_are_refused_by_the_3d_gaze(dataset: str, tmp_path: Path) -> None:
    tree = write_gazehub(tmp_path, dataset)
    swap(tree)
    with pytest.raises(ValueError, match=r"\.label: .* 4 .*line 2.*swap"):
        GazeHubReader(tree.root, dataset)


def test_a_header_that_names_other_places_is_refused(tmp_path: Path) -> None:
    tree = write_gazehub(tmp_path, "mpiifacegaze")
    tree.edit("p00", "3DGaze 3DHead 2DGaze 2DHead", "3DGaze 2DGaze 3DHead 2DHead")
    with pytest.raises(ValueError, match=r"p00\.label: .*gaze_2d .* 6.* 7"):
        GazeHubReader(tree.root, "mpiifacegaze")


def test_another_sets_form_is_refused(trees: dict[str, GazeHubTree]) -> None:
    with pytest.raises(ValueError, match=r"(train|test)\.label.*data\.reader\.dataset="):
        GazeHubReader(trees["gaze360"].root, "eyediap")


def test_eth_xgaze_in_the_order_of_its_h5_or_of_gazehub(tmp_path: Path) -> None:
    """``gaze`` is a copy of the h5's [pitch, yaw]; ``2DGaze`` would be [yaw, pitch]."""
    tree = write_gazehub(tmp_path, "eth_xgaze")
    as_in_h5 = samples(GazeHubReader(tree.root))
    tree.edit("train", "face gaze head origin", "face gaze2d head2d origin")
    gazehub._label_files.cache_clear()
    renamed = samples(GazeHubReader(tree.root))
    for one, other in zip(as_in_h5, renamed, strict=True):
        np.testing.assert_allclose(hub_angles(one.gaze), hub_angles(other.gaze)[::-1])


def test_label_files_without_a_header_are_read_by_the_sets_known_places(tmp_path: Path) -> None:
    with_header = write_gazehub(tmp_path / "with", "mpiifacegaze")
    without = write_gazehub(tmp_path / "without", "mpiifacegaze", header=False)
    pairs = (samples(GazeHubReader(t.root, "mpiifacegaze")) for t in (with_header, without))
    for one, other in zip(*pairs, strict=True):
        np.testing.assert_array_equal(one.gaze, other.gaze)
        np.testing.assert_array_equal(one.image, other.image)


@pytest.mark.parametrize(("dataset", "told"), [(None, "data set"), ("eth_xgaze", "yaw")])
def test_without_a_header_what_cannot_be_known_is_asked(
    dataset: str | None, told: str, tmp_path: Path
) -> None:
    tree = write_gazehub(tmp_path, dataset or "eyediap", header=False)
    with pytest.raises(ValueError, match=rf"\.label .*{told}.*data\.reader\.dataset="):
        GazeHubReader(tree.root, dataset)


def test_files_that_tell_no_gaze_are_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tree = write_gazehub(tmp_path, "eth_xgaze")
    tree.label("test").write_text("face head origin cam_index\nsubject0001/1.jpg 0,0 x 0\n")
    assert GazeHubReader(tree.root).groups() == ["train"]
    assert "test.label" in caplog.text
    tree.label("train").unlink()
    gazehub._label_files.cache_clear()
    with pytest.raises(ValueError, match=r"no file in .*Label names a gaze.* test\.label"):
        GazeHubReader(tree.root)


def test_damage_costs_the_damaged_line_alone(tmp_path: Path) -> None:
    tree = write_gazehub(tmp_path, "mpiifacegaze", num_faces=9)
    (tree.root / "Image/p00/face/2.jpg").unlink()
    (tree.root / "Image/p00/face/3.jpg").write_bytes(b"no jpeg")
    lines = tree.label("p00").read_text().splitlines()
    lines[4] = "p00/face/4.jpg l r"
    lines[5] = lines[5].replace(",", ",nan,", 1)
    fields = lines[6].split()
    fields[7] = "0.9,-0.9"
    lines[6] = " ".join(fields)
    fields = lines[7].split()
    fields[7] = "20,10"
    lines[7] = " ".join(fields)
    fields = lines[8].split()
    fields[5] = "0,0,0"
    lines[8] = " ".join(fields)
    tree.label("p00").write_text("\n".join(lines) + "\n")
    reader = GazeHubReader(tree.root)
    found = list(reader.read("p00"))
    assert reader.count("p00") == len(found) == 9
    reasons = {i: one.reason for i, one in enumerate(found) if isinstance(one, Skipped)}
    assert sorted(reasons) == [1, 2, 3, 4, 5, 6, 7]
    assert "p00/face/2.jpg" in reasons[1]
    assert "unreadable" in reasons[2]
    assert reasons[3].startswith("p00.label:5: 3 ")
    assert "nan" in reasons[4]
    assert "0.9,-0.9" in reasons[5]
    assert "radians" in reasons[6]
    assert "3D gaze of length 0" in reasons[7]
    np.testing.assert_allclose(found[8].gaze, tree.gaze["p00"][8], atol=1e-12)  # type: ignore[union-attr]


def test_long_files_are_cut_and_nothing_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = write_gazehub(tmp_path, "gaze360", num_faces=5)
    whole = samples(GazeHubReader(tree.root))
    monkeypatch.setattr(gazehub, "_ROWS_PER_GROUP", 2)
    gazehub._stretches.cache_clear()
    reader = GazeHubReader(tree.root)
    groups = [f"{part}_000{n}" for part in ("test", "train", "val") for n in range(3)]
    assert reader.groups() == groups
    assert [reader.count(group) for group in groups] == [2, 2, 1] * 3
    cut = samples(reader)
    assert [(o.sample_id, o.index, o.part) for o in cut] == [
        (o.sample_id, o.index, o.part) for o in whole
    ]
    gazehub._stretches.cache_clear()


def test_mpiifacegazes_scale_can_be_taken_out(
    trees: dict[str, GazeHubTree], tmp_path: Path
) -> None:
    """n = S R g was published; R g is what the others have."""
    tree = write_gazehub(tmp_path, "mpiifacegaze")
    scaled, plain = (
        samples(GazeHubReader(tree.root, remove_scale=remove)) for remove in (False, True)
    )
    for one, other in zip(scaled, plain, strict=True):
        again = gaze_angles(gaze_vector(other.gaze) * [1, 1, SCALE])
        np.testing.assert_allclose(again, one.gaze, atol=1e-12)
    reader = GazeHubReader(tree.root, remove_scale=True)
    assert reader.gaze_convention == "face_centre_to_target"
    assert reader.settings == {"dataset": "mpiifacegaze", "remove_scale": True}
    lines = [f"p00/face/1.jpg l r n left 0,0,-1 0,0,1 0,0 0,0 r 1,1,{z} o" for z in ("1", "0")]
    tree.label("p01").write_text("\n".join([HEADERS["mpiifacegaze"], *lines]))
    one, none = GazeHubReader(tree.root, remove_scale=True).read("p01")
    assert isinstance(one, RawSample)
    assert "scale 1,1,0, expected positive" in none.reason  # type: ignore[union-attr]
    with pytest.raises(ValueError, match=r"remove_scale=true .*Smat.*eyediap"):
        GazeHubReader(trees["eyediap"].root, "eyediap", remove_scale=True)


def test_a_reader_travels_to_a_spawned_worker(trees: dict[str, GazeHubTree]) -> None:
    reader = pickle.loads(pickle.dumps(GazeHubReader(trees["gaze360"].root)))
    assert len(samples(reader)) == 12


def test_a_folder_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"Image/.*Label/\*\.label"):
        GazeHubReader(tmp_path)
    with pytest.raises(ValueError, match=r"'mpii'.*mpiifacegaze, eyediap"):
        GazeHubReader(tmp_path, "mpii")


def test_labels_name_their_places_once(tmp_path: Path) -> None:
    """A header in which a name comes twice, as in joined files: the first one counts."""
    path = tmp_path / "train.label"
    names = "face gaze2d head2d origin gaze3d head3d face gaze head origin"
    path.write_text(names + "\n")
    file = read_header(path, "train", None)
    assert file is not None
    assert file.dataset == "eth_xgaze"
    assert (file.places["face"], file.places["gaze_2d"], file.places["gaze_3d"]) == (0, 1, 4)
    assert not file.pitch_first


@pytest.mark.parametrize("face", ["../../../secret.jpg", "/etc/secret.jpg", "p00/../../s.jpg"])
def test_a_line_that_leads_out_of_the_images_is_skipped(face: str, tmp_path: Path) -> None:
    tree = write_gazehub(tmp_path / "hub", "mpiifacegaze")
    for place in (tmp_path / "secret.jpg", tmp_path / "hub" / "s.jpg"):
        place.write_bytes((tree.root / "Image/p00/face/1.jpg").read_bytes())
    tree.edit("p00", "p00/face/2.jpg", face)
    found = list(GazeHubReader(tree.root).read("p00"))
    assert [isinstance(one, Skipped) for one in found] == [False, True, False, False]
    assert face in found[1].reason  # type: ignore[union-attr]
