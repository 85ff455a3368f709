"""Ego4D's files change after the store was made: the clips they concern are made again."""

import re
from pathlib import Path

import polars as pl
import pytest
from builders.preprocessed_clips import made_at, remade
from builders.small_ego4d import (
    NUM_FRAMES,
    WEARER,
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
from builders.small_videos import write_damaged_video

from gazepose.preprocessing.preparation import PreparationSettings
from gazepose.preprocessing.preprocessor import LamPreprocessor
from gazepose.readers.ego4d.reader import Ego4DReader


def preprocessor(raw_dir: Path) -> LamPreprocessor:
    preparation = PreparationSettings(landmarks="none", head_pose="none")
    store_dir = raw_dir.parent / "store"
    return LamPreprocessor("ego4d", Ego4DReader(raw_dir), store_dir, preparation, num_workers=0)


def rows(raw_dir: Path) -> pl.DataFrame:
    return pl.read_parquet(raw_dir.parent / "store" / "frames.parquet")


def made_again(raw_dir: Path) -> set[str]:
    """Run once more; return which clips were made, by their tables' times."""
    before = made_at(raw_dir.parent / "store")
    preprocessor(raw_dir).run()
    return remade(raw_dir.parent / "store", before)


@pytest.fixture
def raw_dir(tmp_path: Path) -> Path:
    write_small_ego4d(tmp_path / "raw")
    preprocessor(tmp_path / "raw").run()
    return tmp_path / "raw"


def test_nothing_changed_nothing_made(raw_dir: Path) -> None:
    write_annotations(raw_dir, default_clips(), indent=1)  # downloaded again, laid out otherwise
    assert made_again(raw_dir) == set()
    raw_dir.rename(raw_dir.with_name("moved"))
    assert made_again(raw_dir.with_name("moved")) == set()


def test_other_labels_are_taken(raw_dir: Path) -> None:
    write_annotations(raw_dir, default_clips() | {"val": [clip("ccc", looks=[look("1", 3, 11)])]})
    assert re.search("1 group .*: ccc", preprocessor(raw_dir).check().summary())
    assert made_again(raw_dir) == {"ccc"}
    assert rows(raw_dir).filter(group_name="ccc")["label"].to_list() == [1] * 9


def test_a_clip_that_moved_to_another_list_is_of_that_part(raw_dir: Path) -> None:
    clips = default_clips()
    moved = {"train": clips["train"][:1], "val": [*clips["val"], *clips["train"][1:]]}
    write_annotations(raw_dir, moved)
    write_lists(raw_dir, {"train": ["aaa"], "val": ["ccc", "bbb"]})
    assert made_again(raw_dir) == {"bbb"}
    assert set(rows(raw_dir).filter(part="val")["group_name"]) == {"bbb", "ccc"}


def test_other_boxes_are_taken(raw_dir: Path) -> None:
    persons = [WEARER, person("1", track("t1", range(3, 20)))]
    clips = default_clips() | {"val": [clip("ccc", persons, looks=[look("1", 5, 7)])]}
    write_annotations(raw_dir, clips)
    assert made_again(raw_dir) == {"ccc"}
    assert rows(raw_dir).filter(group_name="ccc").height == 17


def test_videos_that_are_gone_leave_the_store_as_it_is(raw_dir: Path) -> None:
    for video in (raw_dir / "v2" / "clips").iterdir():
        video.unlink()
    assert made_again(raw_dir) == set()
    assert preprocessor(raw_dir).run().failed_groups == {}


def test_a_clip_of_a_damaged_video_is_told_until_the_good_one_is_there(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    persons = [WEARER, person("1", track("t1", range(NUM_FRAMES)))]
    slow = clip("aaa", persons, looks=[look("1", 5, 7)], clip_end_sec=4.0)
    clips = default_clips() | {"train": [slow]}
    raw_dir = write_small_ego4d(tmp_path / "raw", clips)
    video = write_damaged_video(raw_dir / "v2" / "clips" / "aaa.mp4", NUM_FRAMES)
    report = preprocessor(raw_dir).run()
    assert report.has_errors
    assert list(report.lossy_clips) == ["aaa"]
    assert 0 < rows(raw_dir).filter(group_name="aaa")["num_bytes"].gt(0).sum() < NUM_FRAMES
    check = preprocessor(raw_dir).check()
    assert check.has_errors
    for said in (report.summary(), caplog.text, check.summary()):
        assert re.search(r"1 group .*: aaa \(", said)
    write_grey_video(video, fps_hz=10)
    assert made_again(raw_dir) == {"aaa"}
    assert not preprocessor(raw_dir).run().has_errors
    assert not preprocessor(raw_dir).check().has_errors
