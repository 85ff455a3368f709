"""The challenge's tree: exact frames, unique ids, nothing stops at a bad file."""

import json
from pathlib import Path

import numpy as np
import pytest
from builders.golden_ego4d import CLIP_C, unpack

from common.media.image_codec import encode_image
from common.store.skipped import Skipped
from gazepose.readers.sample import RawFace
from gazepose.readers.videos_challenge import (
    VideosChallengeReader,
    challenge_faces,
    find_challenge_dir,
)


def write_tree(root: Path, names: list[str]) -> Path:
    """A tree with one track that holds images of these names."""
    folder = root / "videos_challenge" / "v1" / "t1"
    folder.mkdir(parents=True)
    for number, name in enumerate(names):
        image = np.full((4, 4, 3), number, np.uint8)
        (folder / name).write_bytes(encode_image(image, "png", 1))
    return root / "videos_challenge"


def rows(reader: VideosChallengeReader, group: str) -> list[RawFace]:
    return [f for f in reader.read(group) if isinstance(f, RawFace)]


def test_frames_are_numbers_and_unique_ids_end_at_the_first_dot(tmp_path: Path) -> None:
    names = ["100012_long.jpg", "00012_a-1.jpg", "00002_e00012e.jpg", "00013_b_c.x.jpg"]
    root = write_tree(tmp_path, names)
    found, strange = challenge_faces(root / "v1" / "t1")
    assert [(f.frame, f.unique_id, f.frame_text) for f in found] == [
        (2, "e00012e", "00002"),
        (12, "a-1", "00012"),
        (13, "b", "00013"),
        (100012, "long", "100012"),
    ]
    assert strange == []


def test_rows_come_in_order_with_unknown_box_and_label(tmp_path: Path) -> None:
    root = write_tree(tmp_path, ["00007_b.jpg", "00003_a.jpg"])
    found = rows(VideosChallengeReader(root), "v1")
    assert [(f.frame, f.track_index, f.unique_id) for f in found] == [(3, 0, "a"), (7, 1, "b")]
    assert {(f.part, f.label, f.person_id) for f in found} == {("test", -1, "")}
    assert all(np.isnan(f.bbox_xyxy_px).all() for f in found)
    assert [f.image for f in found] == [root / "v1/t1/00003_a.jpg", root / "v1/t1/00007_b.jpg"]


def test_a_strange_name_is_skipped_and_a_row_is_called_by_its_file(tmp_path: Path) -> None:
    root = write_tree(tmp_path, ["00001_a.jpg", "00002_b.jpg", "notes.txt", "x_00003.jpg"])
    items = list(VideosChallengeReader(root).read("v1"))
    skipped = {i.sample_id: i.reason for i in items if isinstance(i, Skipped)}
    assert list(skipped) == ["v1:t1:notes.txt", "v1:t1:x_00003.jpg"]
    assert all("<frame>_<unique id>.jpg" in why for why in skipped.values())
    named = [i.sample_id for i in items if isinstance(i, RawFace)]
    assert named == ["v1:t1:00001_a", "v1:t1:00002_b"]
    said = {finding.what for finding in VideosChallengeReader(root).doctor()}
    assert "2 files are not named <frame>_<unique id>.jpg" in said


@pytest.mark.parametrize("below", [".", "..", "../.."])
def test_the_folder_is_found_from_above(tmp_path: Path, below: str) -> None:
    root = write_tree(tmp_path / "v2" / "social_test", ["00001_a.jpg"])
    assert VideosChallengeReader((root / below).resolve()).groups() == ["v1"]


@pytest.mark.parametrize("link", ["v2", "some/where"])
def test_links_are_followed(tmp_path: Path, link: str) -> None:
    write_tree(tmp_path / "disk" / "social_test", ["00001_a.jpg"])
    raw_dir = tmp_path / "raw"
    (raw_dir / link).parent.mkdir(parents=True, exist_ok=True)
    (raw_dir / link).symlink_to(tmp_path / "disk", target_is_directory=True)
    assert VideosChallengeReader(raw_dir).groups() == ["v1"]


def test_links_in_a_circle_end(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "back").symlink_to(tmp_path, target_is_directory=True)
    with pytest.raises(ValueError, match=rf"videos_challenge.*{tmp_path}"):
        VideosChallengeReader(tmp_path).groups()


def test_hidden_folders_are_no_videos(tmp_path: Path) -> None:
    root = write_tree(tmp_path, ["00001_a.jpg"])
    (root / ".ipynb_checkpoints").mkdir()
    assert VideosChallengeReader(root).groups() == ["v1"]
    (root / "v1").rename(tmp_path / "elsewhere")
    with pytest.raises(ValueError, match=rf"{root} holds no video folder"):
        VideosChallengeReader(root).groups()


def test_without_the_folder_it_says_what_to_unpack(tmp_path: Path) -> None:
    (tmp_path / "social").mkdir()
    (tmp_path / "social" / "videos_challenge.zip").touch()
    with pytest.raises(ValueError, match=r"unpack .*social/videos_challenge\.zip"):
        VideosChallengeReader(tmp_path).groups()
    assert [f.severity for f in VideosChallengeReader(tmp_path).doctor()] == ["error"]


def test_priors_lie_beside_the_videos_or_where_one_says(tmp_path: Path) -> None:
    root = write_tree(tmp_path, ["00001_a.jpg", "00002_b.jpg"])
    assert VideosChallengeReader(root).prior_files_of(CLIP_C).kinds() == ()
    for folder in (tmp_path / "json_prior", tmp_path / "elsewhere"):
        folder.mkdir()
        (folder / "test_p.json").write_text(json.dumps({"v1": {"t1": {"b": 0.25}}}))
        given = None if folder.name == "json_prior" else folder
        reader = VideosChallengeReader(root, given)
        assert [f.sharpness_p for f in rows(reader, "v1")] == [None, 0.25]


def test_the_recorded_tree(tmp_path: Path) -> None:
    raw = unpack(tmp_path)
    reader = VideosChallengeReader(raw, raw / "data" / "json_prior")
    assert reader.groups() == [CLIP_C]
    assert reader.count(CLIP_C) == 46
    found = rows(reader, CLIP_C)
    assert len(found) == len({f.unique_id for f in found}) == 46
    assert all(f.head_pose_deg is not None for f in found)
    summary = next(f for f in reader.doctor() if "images" in f.what)
    assert summary.what == "test: 1 videos, 4 tracks, 46 images"


def test_it_is_found_beside_the_folder_data(tmp_path: Path) -> None:
    beside = tmp_path / "videos_challenge"
    for folder in (beside, tmp_path / "data" / "json", tmp_path / "other"):
        folder.mkdir(parents=True)
    assert find_challenge_dir(tmp_path / "data") == beside
    with pytest.raises(ValueError, match=rf"videos_challenge.*{tmp_path}/other"):
        find_challenge_dir(tmp_path / "other")


@pytest.mark.parametrize("images", ["face_imgs", "video_imgs"])
def test_folders_of_images_are_not_walked_through(tmp_path: Path, images: str) -> None:
    (tmp_path / images / "clip" / "videos_challenge").mkdir(parents=True)
    with pytest.raises(ValueError, match=rf"videos_challenge.*{tmp_path}"):
        find_challenge_dir(tmp_path)
