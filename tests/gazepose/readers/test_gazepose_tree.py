"""GazePose's tree as its README draws it: whatever of it is there gives the same faces."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import polars as pl
import pytest
from builders.cartoon_face import cartoon
from builders.findings import said
from builders.gazepose_tree import (
    add_faces,
    add_frames,
    add_priors,
    write_image,
    write_readme_tree,
)
from builders.golden_ego4d import unpack
from builders.preprocessed_clips import made_at, remade
from builders.small_ego4d import (
    GREY_STEP,
    WEARER,
    box,
    clip,
    default_clips,
    look,
    person,
    track,
    write_annotations,
    write_grey_video,
    write_lists,
    write_small_ego4d,
)
from builders.small_lam_training import SMALL_NETS
from builders.small_training import composed, one_thread

from common.preprocessing.command import prepare_store
from common.runs.run import fit_and_test
from common.store.skipped import Skipped
from gazepose.preprocessing.preparation import PreparationSettings
from gazepose.preprocessing.preprocessor import LamPreprocessor
from gazepose.readers.ego4d.reader import Ego4DReader
from gazepose.readers.face_imgs.reader import FaceImgsReader
from gazepose.readers.sample import Frame, RawFace, RawReader
from gazepose.readers.split_lists import REMOVED_UIDS, read_split_list

NOTHING = PreparationSettings(landmarks="none", head_pose="none")
WHATEVER = PreparationSettings(landmarks="prior_or_mesh", head_pose="prior_or_mesh")
CLIPS = ["aaa", "bbb", "ccc"]


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """csv, json, split, videos."""
    return write_readme_tree(write_small_ego4d(tmp_path / "ego4d"), tmp_path / "raw" / "data")


def rows(reader: RawReader, *groups: str) -> list[RawFace]:
    found = [row for group in groups or reader.groups() for row in reader.read(group)]
    return [row for row in found if not isinstance(row, Skipped)]


def named(faces: list[RawFace]) -> list[tuple[object, ...]]:
    fields = ("clip_uid", "part", "track_id", "person_id", "frame", "track_index", "label")
    values = [[getattr(f, name) for name in (*fields, "is_interpolated")] for f in faces]
    return [(*row, *f.bbox_xyxy_px) for row, f in zip(values, faces, strict=True)]


def made(reader: RawReader, store_dir: Path, preparation: PreparationSettings) -> pl.DataFrame:
    report = LamPreprocessor("tree", reader, store_dir, preparation, num_workers=0).run()
    assert report.failed_groups == {}
    return pl.read_parquet(store_dir / "frames.parquet")


def greys(store_dir: Path, frames: pl.DataFrame) -> dict[tuple[str, int], float]:
    """The mean grey of every stored face."""
    found = {}
    for row in frames.iter_rows(named=True):
        pack = (store_dir / "packs" / f"{row['group_name']}.pack").read_bytes()
        content = pack[row["offset"] : row["offset"] + row["num_bytes"]]
        image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_GRAYSCALE)
        found[row["group_name"], row["frame"]] = float(image.mean())
    return found


@pytest.mark.parametrize("are_frames", [False, True])
def test_without_face_images_they_are_cut_from_videos_or_their_frames(
    data_dir: Path, tmp_path: Path, are_frames: bool
) -> None:
    if are_frames:
        add_frames(data_dir)
        shutil.rmtree(data_dir / "videos")
    for number, reader in enumerate(
        (FaceImgsReader(data_dir), Ego4DReader(data_dir), Ego4DReader(data_dir.parent))
    ):
        assert reader.groups() == CLIPS
        assert said(reader, "error") == said(reader, "warning") == []
        store_dir = tmp_path / f"store{number}"
        found = greys(store_dir, made(reader, store_dir, NOTHING))
        assert len(found) == 27
        for (_, frame), grey in found.items():
            assert grey == pytest.approx(GREY_STEP * frame, abs=3)


def test_whole_recordings_are_called_by_the_video(data_dir: Path, tmp_path: Path) -> None:
    """The README's two are of no clip in any list."""
    clips = default_clips()
    for c in clips["train"] + clips["val"]:
        c["video_start_frame"] = 9
    write_annotations(tmp_path / "again", clips)
    for path in (tmp_path / "again" / "v2" / "annotations").iterdir():
        shutil.copy(path, data_dir / "json")
    for uid in CLIPS:
        (data_dir / "videos" / f"{uid}.mp4").unlink()
        write_grey_video(data_dir / "videos" / f"video-{uid}.mp4", num_frames=50)
    reader = FaceImgsReader(data_dir)
    images = {row.frame: row.image for row in rows(reader, "aaa")}
    video = data_dir / "videos" / "video-aaa.mp4"
    assert images == {frame: Frame(video, frame + 9) for frame in range(3, 12)}
    assert said(reader, "error") == []


@pytest.mark.parametrize("place", ["face_imgs", "video_imgs/face_imgs"])
def test_face_images_are_taken_as_they_are(data_dir: Path, place: str) -> None:
    from_videos = named(rows(FaceImgsReader(data_dir)))
    add_faces(data_dir, place)
    reader = FaceImgsReader(data_dir)
    found = rows(reader)
    assert named(found) == from_videos
    assert {row.image for row in found} == set((data_dir / place).rglob("face_*.jpg"))
    assert said(reader, "error") == said(reader, "warning") == []
    assert any(place in finding.what for finding in said(reader, "note"))


def test_a_video_with_faces_missing_for_some_clips_is_told(data_dir: Path) -> None:
    add_faces(data_dir)
    shutil.rmtree(data_dir / "face_imgs" / "bbb")
    (error,) = said(FaceImgsReader(data_dir), "error")
    assert re.search("1 clip .*face_imgs: bbb", error.what)
    assert any("data=ego4d" in finding.remedy for finding in said(FaceImgsReader(data_dir), "note"))


def annotation_of(data: Path, uid: str, left_out: str) -> dict[str, object]:
    """Return the annotations that a clip's json_original and result_LAM were written from."""
    persons = [WEARER]
    for path in sorted((data / "json_original" / uid).glob("*.json")):
        written = json.loads(path.read_text())
        if path.stem == left_out:
            continue
        boxes = [
            box(row["frameNumber"], **{key: row[key] for key in ("x", "y", "width", "height")})
            for row in written
            if row["Person ID"]
        ]
        persons.append(person(written[0]["Person ID"], track(path.stem, boxes)))
    looks = json.loads((data / "result_LAM" / f"{uid}.json").read_text())
    segments = [look(row["label"], row["start_frame"], row["end_frame"]) for row in looks]
    return clip(uid, persons, [look(None, 0, 500), *segments])


def test_annotations_give_what_the_label_scripts_write(tmp_path: Path) -> None:
    """The recorded tree, but for a track that begins with a box of nobody: no script writes it."""
    tree = unpack(tmp_path)
    data, left_out = tree / "data", "trkA3z"
    before = FaceImgsReader(tree, parts=["train"])
    expected = [row for row in rows(before) if row.track_id != left_out]
    uids = read_split_list(data / "split" / "train.list")
    write_annotations(tmp_path, {"train": [annotation_of(data, uid, left_out) for uid in uids]})
    (tmp_path / "v2" / "annotations").rename(data / "json")
    assert len(rows(FaceImgsReader(tree, parts=["train"]))) > len(expected)  # the scripts' count
    shutil.rmtree(data / "json_original")
    shutil.rmtree(data / "result_LAM")
    reader = FaceImgsReader(tree, parts=["train"])
    found = rows(reader)
    assert len(found) > 100
    assert named(found) == named(expected)
    for ours, theirs in zip(found, expected, strict=True):
        assert ours.image == theirs.image
        assert plain(ours) == plain(theirs)
    assert said(reader, "error") == []
    assert reader.count(uids[0]) + reader.count(uids[1]) == len(found)


def test_without_lists_the_annotations_say_which_clips(data_dir: Path) -> None:
    add_faces(data_dir)
    for name in ("json_original", "result_LAM"):
        (data_dir / name).mkdir()
    shutil.rmtree(data_dir / "split")
    reader = FaceImgsReader(data_dir)
    assert reader.groups() == CLIPS
    assert said(reader, "error") == []
    assert any("labels of av_*.json" in f.what for f in said(reader, "note"))
    assert len(rows(reader)) == 27


def plain(row: RawFace) -> RawFace:
    """What compares as a whole: arrays as lists."""
    arrays = {"head_pose_deg": row.head_pose_deg, "points": row.points}
    lists = {key: None if a is None else a.tolist() for key, a in arrays.items()}
    return replace(row, bbox_xyxy_px=row.bbox_xyxy_px.tolist(), **lists)


@pytest.mark.parametrize("are_images", [True, False])
def test_priors_are_taken_where_there_are_files(
    data_dir: Path, tmp_path: Path, are_images: bool, caplog: pytest.LogCaptureFixture
) -> None:
    if are_images:
        add_faces(data_dir)
    add_priors(data_dir, "train")
    add_priors(data_dir, "val", ["headpose"])
    preprocessor = LamPreprocessor(
        "tree", FaceImgsReader(data_dir), tmp_path / "store", WHATEVER, num_workers=0
    )
    findings = preprocessor.check().findings
    (of_files,) = (f for f in findings if re.search("head pose: .*json_prior.* train, val", f.what))
    (mixed,) = (f for f in findings if re.search("landmarks: .*json_prior.* train.* val", f.what))
    assert (of_files.severity, mixed.severity) == ("note", "warning")
    assert "preparation.landmarks=mesh" in mixed.remedy
    frames = made(FaceImgsReader(data_dir), tmp_path / "store", WHATEVER)
    assert mixed.what in caplog.text
    train, val = (frames.filter(part=part) for part in ("train", "val"))
    assert set(train["landmark_source"]) == set(frames["head_pose_source"]) == {"prior"}
    assert set(val["landmark_source"]) == {None}  # the mesh finds no face in grey
    assert set(train["sharpness_p"]) == {0.5}
    assert 0.5 not in set(val["sharpness_p"])


def test_a_prior_file_that_comes_later_costs_its_part_alone(data_dir: Path, tmp_path: Path) -> None:
    add_faces(data_dir)
    add_priors(data_dir, "train")
    made(FaceImgsReader(data_dir), tmp_path / "store", WHATEVER)
    times = made_at(tmp_path / "store")
    add_priors(data_dir, "val")
    frames = made(FaceImgsReader(data_dir), tmp_path / "store", WHATEVER)
    assert set(frames["landmark_source"]) == {"prior"}
    assert remade(tmp_path / "store", times) == {"ccc"}
    # All are there now: the store is the one that prior files alone make, and is not made again.
    from_files = PreparationSettings(landmarks="prior", head_pose="prior")
    assert made(FaceImgsReader(data_dir), tmp_path / "store", from_files).equals(frames)


def test_lists_as_they_are_published(tmp_path: Path) -> None:
    """Without a newline at the end, and without four clips that the annotations have."""
    uids = [f"clip{number}" for number in range(25)]
    lists = {"train": uids[:15], "val": uids[15:20], "test": uids[20:]}
    clips = {part: [clip(uid, looks=[look("1", 5, 7)]) for uid in lists[part]] for part in lists}
    clips["train"] += [clip(uid, looks=[look("1", 5, 7)]) for uid in sorted(REMOVED_UIDS)]
    del clips["test"]
    write_annotations(tmp_path, clips)
    (tmp_path / "data").mkdir()
    (tmp_path / "v2" / "annotations").rename(tmp_path / "data" / "json")
    write_lists(tmp_path / "data", lists)
    for part, found in lists.items():
        path = tmp_path / "data" / "split" / f"{part}.list"
        assert not path.read_text().endswith("\n")
        assert read_split_list(path) == found
    for uid in lists["train"] + lists["val"]:
        (tmp_path / "data" / "face_imgs" / uid).mkdir(parents=True)
    reader = FaceImgsReader(tmp_path)
    assert reader.groups() == lists["train"] + lists["val"]
    assert said(reader, "error") == said(reader, "warning") == []
    told = [finding.what for finding in said(reader, "note")]
    assert any(what.startswith("train: 15 clips,") for what in told)
    assert any(what.startswith("val: 5 clips,") for what in told)


def test_the_doctor_tells_what_is_there_and_what_is_taken(data_dir: Path) -> None:
    told = [finding.what for finding in said(FaceImgsReader(data_dir), "note")]
    assert re.search("csv json split videos;.* video_imgs json_original", told[0])
    assert re.search(r"face_imgs.*videos.*av_\*\.json", told[1])
    (data_dir / "videos" / "bbb.mp4").unlink()
    notes = [f for f in said(FaceImgsReader(data_dir), "note") if "manifest" in f.what]
    assert [bool(re.search(r"1 of 3 .*bbb\.mp4", f.what)) for f in notes] == [True]
    (warning,) = said(FaceImgsReader(data_dir), "warning")
    assert re.search("train: 1 clip .*bbb", warning.what)


@pytest.mark.parametrize("folder", [".", "..", "json"])
def test_a_level_too_high_or_too_low(data_dir: Path, folder: str) -> None:
    assert FaceImgsReader((data_dir / folder).resolve()).groups() == CLIPS


def test_an_empty_folder_says_what_is_expected(tmp_path: Path) -> None:
    (error,) = said(FaceImgsReader(tmp_path), "error")
    assert "json/av_train.json" in error.what
    (error,) = said(FaceImgsReader(tmp_path / "nowhere"), "error")
    assert f"{tmp_path / 'nowhere'};" in error.what
    sources = r"av_\*\.json.*json_original.*result_LAM"
    assert any(re.search(sources, note.what) for note in said(FaceImgsReader(tmp_path), "note"))


def test_frames_of_another_length_or_of_no_clip_are_refused(data_dir: Path) -> None:
    add_frames(data_dir)
    shutil.rmtree(data_dir / "videos")
    folder = data_dir / "video_imgs"
    for path in [*(folder / "aaa").glob("img_0003*.jpg"), folder / "aaa" / "img_00040.jpg"]:
        path.unlink()
    for path in (folder / "bbb").iterdir():
        path.unlink()
    reader = FaceImgsReader(data_dir)
    reader.groups()
    with pytest.raises(ValueError, match=r"video_imgs/aaa .* 29 frames, .* 40;"):
        list(reader.read("aaa"))
    with pytest.raises(ValueError, match=r"bbb.*img_00001\.jpg"):
        list(reader.read("bbb"))


def test_a_damaged_frame_is_named_by_its_file(data_dir: Path) -> None:
    add_frames(data_dir)
    shutil.rmtree(data_dir / "videos")
    damaged = data_dir / "video_imgs" / "aaa" / "img_00001.jpg"
    damaged.write_bytes(b"damaged")
    reader = FaceImgsReader(data_dir)
    assert any(str(damaged) in finding.what for finding in said(reader, "warning"))
    reader.groups()
    with pytest.raises(ValueError, match=str(damaged)):
        list(reader.read("aaa"))


@pytest.mark.parametrize("kind", [FaceImgsReader, Ego4DReader])
def test_the_test_part_alone_and_not_there_is_an_error(
    data_dir: Path, kind: type[FaceImgsReader] | type[Ego4DReader]
) -> None:
    reader = kind(data_dir, parts=["test"])
    (error,) = said(reader, "error")
    assert "videos_challenge" in error.what
    with pytest.raises(ValueError, match=rf"{data_dir}.*\['test'\]"):
        reader.groups()


def test_one_preprocess_and_one_train_command_from_the_readme_s_tree_to_a_tested_net(
    data_dir: Path, tmp_path: Path
) -> None:
    """Drawn faces below video_imgs and in the test set beside, prior files of train."""
    add_faces(data_dir, "video_imgs/face_imgs")
    add_priors(data_dir, "train")
    challenge = data_dir.parent / "videos_challenge" / "vid" / "trk"
    challenge.mkdir(parents=True)
    face = cv2.resize(cartoon(400)[136:336, 100:300], (224, 224))
    for path in [*data_dir.glob("video_imgs/face_imgs/ccc/*/*.jpg"), challenge / "00012_abc.jpg"]:
        write_image(path, face)
    tree = ["data=face_imgs", f"data.store_dir={tmp_path / 'store'}"]
    typed = [*tree, f"data.raw_dir={data_dir}", "num_workers=0", "paths.run_dir=x"]
    checked = prepare_store(composed("preprocess", *typed, "mode=check"))
    assert not checked.has_errors
    assert re.search("landmarks: .* train.* val, test", checked.report)
    assert not prepare_store(composed("preprocess", *typed)).has_errors
    frames = pl.read_parquet(tmp_path / "store" / "frames.parquet")
    sources = {
        part: set(frames.filter(part=part)["landmark_source"].drop_nulls())
        for part in ("train", "val", "test")
    }
    assert sources == {"train": {"prior"}, "val": {"mesh"}, "test": {"mesh"}}
    run_dir = tmp_path / "run"
    training = ["data.datamodule.val_stride=1", "data.datamodule.num_workers=0"]
    training += ["trainer.max_epochs=1", "trainer.enable_progress_bar=false"]
    training += ["trainer.accelerator=cpu", f"paths.run_dir={run_dir}"]
    with one_thread():
        config = composed("train", *SMALL_NETS["gazepose"], *tree, *training)
        metrics = fit_and_test(config, {}, run_dir)
    assert 0 <= metrics["test/map"] <= 1
    (summary,) = (run_dir / "test").glob("*gazepose.json")
    assert json.loads(summary.read_text())["protocol"]["landmark_source"] == "mesh"
