"""Readers' fingerprints: another one where a clip's raw data are others, else the same."""

import json
import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from builders.golden_ego4d import CLIP_A, CLIP_C, unpack

from gazepose.preprocessing.group import GroupRecipe
from gazepose.preprocessing.preparation import PreparationSettings
from gazepose.readers.face_imgs.reader import FaceImgsReader
from gazepose.readers.own_videos import VideosReader
from gazepose.readers.sample import RawReader


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return unpack(tmp_path / "raw")


def reader(tree: Path) -> FaceImgsReader:
    """The tree has a clip in two lists."""
    return FaceImgsReader(tree, parts=["train", "test"])


def fingerprints(reader: RawReader) -> dict[str, str | None]:
    return {group: reader.fingerprint(group) for group in reader.groups()}


def look_elsewhere(data: Path) -> None:
    path = data / "result_LAM" / f"{CLIP_A}.json"
    rows = json.loads(path.read_text())
    rows[0]["start_frame"] += 1
    path.write_text(json.dumps(rows))


def move_a_box(data: Path) -> None:
    path = next((data / "json_original" / CLIP_A).glob("*.json"))
    rows = json.loads(path.read_text())
    rows[0]["x"] += 1
    path.write_text(json.dumps(rows))


def add_an_image(data: Path) -> None:
    folder = next((data / "face_imgs" / CLIP_A).iterdir())
    shutil.copy(next(folder.glob("*.jpg")), folder / "face_09999.jpg")


def remove_an_image(data: Path) -> None:
    next((data / "face_imgs" / CLIP_A).glob("*/*.jpg")).unlink()


@pytest.mark.parametrize("change", [look_elsewhere, move_a_box, add_an_image, remove_an_image])
def test_what_changes_a_clip_of_face_images_changes_its_fingerprint_alone(
    tree: Path, change: Callable[[Path], None]
) -> None:
    before = fingerprints(reader(tree))
    assert fingerprints(reader(tree)) == before
    change(tree / "data")
    after = fingerprints(reader(tree))
    assert {clip for clip in before if after[clip] != before[clip]} == {CLIP_A}


def test_images_are_told_by_their_names_alone(tree: Path) -> None:
    before = reader(tree).fingerprint(CLIP_A), reader(tree).fingerprint(CLIP_C)
    for path in [*tree.rglob("face_imgs/*/*/*.jpg"), *tree.rglob("videos_challenge/*/*/*.jpg")]:
        path.unlink()
        path.symlink_to("nowhere")  # nobody may look at millions of files
        os.utime(path.parent, ns=(0, 0))  # a copy of the tree has other times
    assert (reader(tree).fingerprint(CLIP_A), reader(tree).fingerprint(CLIP_C)) == before


@pytest.mark.parametrize(
    ("landmarks", "name", "is_used"),
    [("mesh", "mesh", False), ("prior", "mesh", True), ("prior", "headpose", False)],
)
def test_only_the_prior_files_in_use_are_a_source(
    tree: Path, landmarks: str, name: str, is_used: bool
) -> None:
    preparation = PreparationSettings(landmarks=landmarks, head_pose="none")

    def made_from() -> str | None:
        recipe = GroupRecipe("tree", reader(tree), tree / "store", preparation)
        return recipe.fingerprint(CLIP_A)

    path = tree / "data" / "json_prior" / f"train_{name}.json"
    before = made_from()
    assert before is not None
    path.write_text(path.read_text() + "\n\n")
    assert (made_from() != before) == is_used


@pytest.mark.parametrize("is_measured", [False, True])
def test_clips_whose_head_pose_the_mesh_gives_are_made_again_when_its_definition_changes(
    tree: Path, is_measured: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if is_measured:
        (tree / "data" / "json_prior" / "train_headpose.json").unlink()
    preparation = PreparationSettings(landmarks="none", head_pose="prior_or_mesh")

    def made_from() -> str | None:
        recipe = GroupRecipe("tree", reader(tree), tree / "store", preparation)
        return recipe.fingerprint(CLIP_A)

    before = made_from()
    monkeypatch.setattr("common.faces.head_pose.MESH_HEAD_POSE", "another")
    assert before is not None
    assert (made_from() != before) == is_measured


def test_another_part_and_other_priors_are_another_source(tree: Path) -> None:
    before = fingerprints(reader(tree))
    path = tree / "data" / "json_prior" / "train_p.json"
    path.write_text(path.read_text() + "\n\n")
    after = fingerprints(reader(tree))
    assert {clip for clip in before if after[clip] != before[clip]} == {
        *(tree / "data" / "split" / "train.list").read_text().split()
    }


def test_a_tree_may_move_and_a_clip_without_images_tells_nothing(tree: Path) -> None:
    before = fingerprints(reader(tree))
    moved = tree.rename(tree.with_name("moved"))
    assert fingerprints(reader(moved)) == before
    shutil.rmtree(moved / "data" / "face_imgs" / CLIP_A)
    assert reader(moved).fingerprint(CLIP_A) is None


def test_a_challenge_video_is_its_images(tree: Path) -> None:
    before = reader(tree).fingerprint(CLIP_C)
    track = next((tree / "videos_challenge" / CLIP_C).iterdir())
    shutil.copy(next(track.iterdir()), track / "09999_new.jpg")
    assert reader(tree).fingerprint(CLIP_C) != before


def test_a_video_is_its_size(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(b"12345")
    videos = VideosReader(tmp_path)
    before = videos.fingerprint("a.mp4")
    assert pickle.loads(pickle.dumps(videos)).fingerprint("a.mp4") == before
    path.write_bytes(b"123456")
    assert videos.fingerprint("a.mp4") != before
    path.unlink()
    assert videos.fingerprint("a.mp4") is None
