"""The originals' tree of face images: a store of it equals what the facts say of it."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from builders.findings import said
from builders.golden_ego4d import CLIP_A, CLIP_B, CLIP_C, GOLDEN_DIR, unpack, write_golden_store

from common.store.skipped import Skipped
from gazepose.preprocessing.preparation import PreparationSettings
from gazepose.preprocessing.preprocessor import LamPreprocessor
from gazepose.readers.face_imgs.reader import FaceImgsReader
from gazepose.readers.json_prior.clip_priors import FAR_POINTS, ODD_RANKS
from gazepose.readers.sample import RawFace

FROM_FILES = PreparationSettings(landmarks="prior", head_pose="prior")
MEASURE_NOTHING = PreparationSettings(landmarks="none", head_pose="none")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return unpack(tmp_path)


@pytest.fixture(scope="module")
def golden_tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With stores of its parts, the train part's its own; nobody changes it."""
    tree = unpack(tmp_path_factory.mktemp("golden"))
    write_golden_store(tree, tree / "expected")
    make(tree, tree / "train", "train")
    return tree


def make(tree: Path, store_dir: Path, part: str, stride: int = 1) -> pl.DataFrame:
    reader = FaceImgsReader(tree, parts=[part])
    LamPreprocessor("golden", reader, store_dir, FROM_FILES, stride, num_workers=0).run()
    return pl.read_parquet(store_dir / "frames.parquet")


@pytest.mark.parametrize("part", ["train", "val", "test"])
def test_a_store_of_the_recorded_tree_equals_the_facts(golden_tree: Path, part: str) -> None:
    """The expected store is made by other code, which the data module's golden tests rest on."""
    found = make(golden_tree, golden_tree / part, part)
    frames = pl.read_parquet(golden_tree / "expected" / "frames.parquet").filter(part=part)
    keys = ["part", "track_id", "frame", "track_index", "unique_id"]
    # An unknown value has no source.
    left_out = {"group_name", "sharpness", "head_pose_source", "landmark_source", "offset"}
    columns = [name for name in frames.columns if name not in left_out]
    ours, theirs = (table.select(columns).sort(keys).fill_nan(None) for table in (found, frames))
    for name in columns:
        assert ours[name].equals(theirs[name], null_equal=True), name


def test_images_are_stored_byte_by_byte(golden_tree: Path) -> None:
    found = pl.read_parquet(golden_tree / "train" / "frames.parquet")
    row = found.filter(group_name=CLIP_A, track_id="trkA1x", frame=5).row(0, named=True)
    pack = (golden_tree / "train" / "packs" / f"{CLIP_A}.pack").read_bytes()
    path = golden_tree / "data" / "face_imgs" / CLIP_A / "trkA1x" / "face_00005.jpg"
    assert pack[row["offset"] : row["offset"] + row["num_bytes"]] == path.read_bytes()


def test_sharpness_and_its_rank_are_the_recorded_tools(tree: Path) -> None:
    for path in (tree / "data" / "json_prior").glob("*_p.json"):
        path.unlink()
    recorded = json.loads((GOLDEN_DIR / "quality" / "quality_expected.json").read_text())
    for stride, num in ((1, 139), (3, 47)):
        found = make(tree, tree / "store", "train", stride)
        ranked = found.filter(pl.col("sharpness_p").is_not_nan())
        expected = recorded[f"vartool_tiny_stride{stride}"]
        # The tool overwrites one of two boxes in a frame, which has the same image.
        assert ranked.unique(["track_id", "frame"]).height == expected["n"] == num
    for kind, column in (("var", "sharpness"), ("p", "sharpness_p")):
        for clip, tracks in expected[kind].items():
            for track, values in tracks.items():
                rows = ranked.filter(group_name=clip, track_id=track)
                table = dict(zip(rows["frame"].to_list(), rows[column].to_list(), strict=True))
                assert table == pytest.approx({int(k): v for k, v in values.items()}, rel=1e-6)
    assert ranked["sharpness"].mean() == pytest.approx(54.91742, abs=1e-5)
    assert ranked["sharpness"].std() == pytest.approx(32.74949, abs=1e-5)


def test_parts_come_in_their_lists_order_and_the_test_set_last(tree: Path) -> None:
    (tree / "data" / "split" / "train.list").write_text(f"{CLIP_B}\n")
    (tree / "data" / "split" / "val.list").write_text(CLIP_A)
    for raw_dir in (tree, tree / "data"):
        reader = FaceImgsReader(raw_dir)
        assert reader.groups() == [CLIP_B, CLIP_A, CLIP_C]
        assert reader.count(CLIP_C) == 46
        assert said(reader, "error") == []
    (tree / "videos_challenge").rename(tree / "elsewhere")
    assert FaceImgsReader(tree).groups() == [CLIP_B, CLIP_A]
    assert any("videos_challenge" in finding.what for finding in FaceImgsReader(tree).doctor())


def test_a_clip_in_two_lists_is_refused(golden_tree: Path) -> None:
    reader = FaceImgsReader(golden_tree)
    with pytest.raises(ValueError, match=rf"2 .*'train', 'val'.*{CLIP_A}") as raised:
        reader.groups()
    assert [f.what for f in said(reader, "error")] == [str(raised.value)]


def test_a_clip_of_the_challenge_in_a_list_is_refused(tree: Path) -> None:
    (tree / "videos_challenge" / CLIP_C).rename(tree / "videos_challenge" / CLIP_A)
    with pytest.raises(ValueError, match=rf"1 .*{CLIP_A}"):
        FaceImgsReader(tree, parts=["train", "test"]).groups()


def items(tree: Path, clip: str) -> tuple[list[RawFace], dict[str, str]]:
    reader = FaceImgsReader(tree, parts=["train"])
    found = list(reader.read(clip))
    reasons = {item.sample_id: item.reason for item in found if isinstance(item, Skipped)}
    return [item for item in found if isinstance(item, RawFace)], reasons


def test_a_corrupt_or_missing_image_keeps_its_row(golden_tree: Path, tree: Path) -> None:
    folder = tree / "data" / "face_imgs" / CLIP_A / "trkA1x"
    before = pl.read_parquet(golden_tree / "train" / "frames.parquet")
    (folder / "face_00005.jpg").write_bytes(b"torn")
    (folder / "face_00006.jpg").unlink()
    after = make(tree, tree / "after", "train")
    names = ["group_name", "track_id", "frame", "track_index", "label"]
    assert after.select(names).equals(before.select(names))
    missing = after.filter(group_name=CLIP_A, track_id="trkA1x", num_bytes=0)["frame"]
    assert {5, 6} <= set(missing)
    reasons = (tree / "after" / "report.txt").read_text()
    assert f"{CLIP_A}:trkA1x:5\tdamaged image\n" in reasons
    assert f"{CLIP_A}:trkA1x:6\tno face image\n" in reasons


def test_a_clip_without_its_folder_fails_alone(tree: Path) -> None:
    shutil.rmtree(tree / "data" / "face_imgs" / CLIP_A)
    reader = FaceImgsReader(tree, parts=["train"])
    report = LamPreprocessor("golden", reader, tree / "store", FROM_FILES, num_workers=0).run()
    assert list(report.failed_groups) == [CLIP_A]
    assert f"face_imgs/{CLIP_A}" in report.failed_groups[CLIP_A]
    assert report.counts["train"]["clips"] == 1
    (error,) = said(reader, "error")
    assert CLIP_A in error.what


def test_clips_in_which_nobody_looks_are_all_negative(tree: Path) -> None:
    (tree / "data" / "result_LAM" / f"{CLIP_A}.json").unlink()
    found, _ = items(tree, CLIP_A)
    assert {f.label for f in found} == {0}
    (warning,) = said(FaceImgsReader(tree, parts=["train"]), "warning")
    assert re.search(f"result_LAM.*{CLIP_A}", warning.what)


def test_a_prior_file_cut_in_half_stops_before_the_first_clip(tree: Path) -> None:
    path = tree / "data" / "json_prior" / "train_headpose.json"
    path.write_bytes(path.read_bytes()[:1000])
    reader = FaceImgsReader(tree, parts=["train"])
    with pytest.raises(ValueError, match=r"train_headpose\.json.*byte \d+ of 1000"):
        LamPreprocessor("golden", reader, tree / "store", FROM_FILES, num_workers=0).run()
    assert not (tree / "store").exists()
    assert len(said(reader, "error")) == 1


def test_frames_that_prior_files_lack_are_unknown_and_counted(tree: Path) -> None:
    path = tree / "data" / "json_prior" / "train_mesh.json"
    path.write_text(json.dumps({CLIP_A: {"trkA1x": {"5": [[0.5, 0.5, 0, 1]] * 5}}}))
    found = make(tree, tree / "store", "train")
    known = found.filter(pl.col("landmark_source").is_not_null())
    assert known.select("track_id", "frame").rows() == [("trkA1x", 5)]
    assert np.isnan(found.filter(frame=6)["point_x0"].to_numpy()).all()
    assert "1 points" in (tree / "store" / "report.txt").read_text().splitlines()[0]


def test_prior_files_are_needed_where_they_are_asked_for(tree: Path) -> None:
    shutil.rmtree(tree / "data" / "json_prior")
    reader = FaceImgsReader(tree, parts=["train"])
    made = LamPreprocessor("golden", reader, tree / "store", FROM_FILES, num_workers=0)
    with pytest.raises(ValueError, match=r"train_mesh\.json.*landmarks=prior"):
        made.run()
    assert not (tree / "store").exists()
    report = LamPreprocessor("golden", reader, tree / "store", MEASURE_NOTHING, num_workers=0).run()
    assert report.counts["train"]["points"] == report.counts["train"]["head poses"] == 0


def test_a_part_without_its_list_is_refused(tree: Path) -> None:
    (tree / "data" / "split" / "val.list").unlink()
    reader = FaceImgsReader(tree)
    with pytest.raises(ValueError, match=r"val\.list.*data\.reader\.parts="):
        reader.groups()
    assert len(said(reader, "error")) == 1
    assert FaceImgsReader(tree, parts=["train"]).groups() == [CLIP_A, CLIP_B]


def prepared(tree: Path, settings: PreparationSettings, *parts: str) -> LamPreprocessor:
    reader = FaceImgsReader(tree, parts=parts)
    return LamPreprocessor("golden", reader, tree / "store", settings, num_workers=0)


@pytest.mark.parametrize(
    ("name", "kind"), [("val_headpose-all", "head_pose"), ("test_mesh", "landmarks")]
)
def test_each_part_needs_the_prior_files_that_are_asked_for(
    tree: Path, name: str, kind: str
) -> None:
    part = name.partition("_")[0]
    (tree / "data" / "json_prior" / f"{name}.json").unlink()
    made = prepared(tree, FROM_FILES, part)
    errors = [finding for finding in made.check().findings if finding.severity == "error"]
    assert len(errors) == 1
    assert re.search(f"{name}.json.*{kind}=prior", errors[0].what)
    assert f"preparation.{kind}=mesh" in errors[0].remedy
    with pytest.raises(ValueError, match=rf"{name}.json.*{kind}=prior"):
        made.run()
    other = {"landmarks": "head_pose", "head_pose": "landmarks"}[kind]
    assert (
        not prepared(tree, PreparationSettings(**{kind: "none", other: "prior"}), part)
        .check()
        .has_errors
    )


def test_parts_ranked_by_files_and_by_images_are_told(tree: Path) -> None:
    (tree / "data" / "split" / "train.list").write_text(CLIP_A)
    (tree / "data" / "split" / "val.list").write_text(CLIP_B)

    def told() -> list[str]:
        warnings = said(FaceImgsReader(tree), "warning")
        return [warning.what for warning in warnings if "_p.json" in warning.what]

    assert told() == []
    (tree / "data" / "json_prior" / "val_p.json").unlink()
    (warning,) = told()
    assert re.search(r"val_p\.json.*train", warning)


def test_values_of_another_unit_are_told(tree: Path) -> None:
    folder = tree / "data" / "json_prior"
    ranks = {CLIP_A: {"trkA1x": {"5": 57.3, "6": -4, "7": 0.5}}}
    (folder / "train_p.json").write_text(json.dumps(ranks))
    points = {CLIP_A: {"trkA1x": {"5": [[112, 112, 0, 1]] * 5}}}
    (folder / "train_mesh.json").write_text(json.dumps(points))
    expected = {f"{CLIP_A}: 2 of 3 ranks": ODD_RANKS, f"{CLIP_A}: 1 of 1 faces": FAR_POINTS}
    warned = [f.what for f in FaceImgsReader(tree, parts=["train"]).doctor()]
    assert {f"{what}: {why}" for what, why in expected.items()} <= set(warned)
    _, reasons = items(tree, CLIP_A)
    assert expected.items() <= reasons.items()
    found = make(tree, tree / "store", "train").filter(group_name=CLIP_A, track_id="trkA1x")
    by_frame = dict(zip(found["frame"], found["sharpness_p"], strict=True))
    assert by_frame[7] == 0.5
    assert np.isnan([by_frame[5], by_frame[6]]).all()


def test_another_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=rf"{tmp_path}.*data\.raw_dir="):
        FaceImgsReader(tmp_path).groups()
