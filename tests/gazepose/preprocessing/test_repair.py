"""Repair: damaged clips are made again, and what cannot be made again stays as it is."""

import re
from pathlib import Path

import pytest
from builders.fake_lam import IMAGE, FakeLamReader
from builders.preprocessed_clips import (
    CLIPS,
    assert_same,
    contents,
    damage,
    frames,
    made_at,
    preprocessor,
    remade,
)

from common.store.damage import damaged_groups

GONE = {clip: [OSError("no video")] for clip in CLIPS}


def test_a_repair_makes_damaged_clips_again_and_nothing_else(tmp_path: Path) -> None:
    preprocessor(tmp_path / "whole").run()
    preprocessor(tmp_path / "store").run()
    before = made_at(tmp_path / "store")
    damage(tmp_path / "store", "t1")
    (tmp_path / "store" / "tables" / "v1.parquet").write_bytes(b"torn")
    (tmp_path / "store" / "skipped" / "t2.json").write_text("[")
    assert not preprocessor(tmp_path / "store").repair().has_errors
    assert damaged_groups(tmp_path / "store") == []
    assert_same(tmp_path / "store", tmp_path / "whole")
    assert remade(tmp_path / "store", before) == {"t1", "t2", "v1"}


def test_what_cannot_be_repaired_stays_and_is_told(tmp_path: Path) -> None:
    preprocessor(tmp_path).run()
    damage(tmp_path, "t1")
    before, table = contents(tmp_path / "packs"), frames(tmp_path)
    report = preprocessor(tmp_path, GONE).repair()
    assert report.has_errors
    assert list(report.failed_groups) == ["t1"]
    assert "no video" in report.failed_groups["t1"]
    assert contents(tmp_path / "packs") == before
    assert frames(tmp_path).fill_nan(None).equals(table.fill_nan(None))
    # Nobody asks for it in a run, which looks at no pack.
    assert not preprocessor(tmp_path, GONE).run().has_errors


def test_a_table_that_cannot_be_made_again_is_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    preprocessor(tmp_path).run()
    (tmp_path / "tables" / "v1.parquet").write_bytes(b"torn")
    before = contents(tmp_path / "packs")
    with pytest.raises(ValueError, match=r"v1\.parquet"):
        preprocessor(tmp_path, GONE).repair()
    assert re.search("1 group .*: v1", caplog.text)
    assert contents(tmp_path / "packs") == before


def test_a_repair_makes_what_is_missing_and_its_own_shard_alone(tmp_path: Path) -> None:
    preprocessor(tmp_path, CLIPS | {"v2": [ValueError("torn")]}).run()
    for group in ("t1", "t2"):
        damage(tmp_path, group)
    report = preprocessor(tmp_path, shard="0/2").repair()
    assert damaged_groups(tmp_path) == ["t2"]
    assert report.failed_groups == {}
    assert set(frames(tmp_path)["group_name"]) == {"t1", "t2", "v1", "v2"}


def test_a_clip_made_from_something_else_is_made_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first = FakeLamReader(CLIPS, sources={"t1": "train 10", "v1": "val 20"})
    preprocessor(tmp_path, reader=first).run()
    before = made_at(tmp_path)
    longer = CLIPS | {"t1": [IMAGE] * 5}
    changed = FakeLamReader(longer, sources={"t1": "train 11", "v1": "val 20", "v2": "val 30"})
    report = preprocessor(tmp_path, reader=changed).check()
    assert re.search("warning +1 group .*: t1", report.summary())
    assert not report.has_errors
    preprocessor(tmp_path, reader=changed).run()
    assert re.search("1 group .*: t1", caplog.text)
    assert frames(tmp_path).filter(group_name="t1").height == 5
    assert remade(tmp_path, before) == {"t1"}
    after = made_at(tmp_path)
    caplog.clear()
    preprocessor(tmp_path, reader=changed).run()
    assert made_at(tmp_path) == after
    assert ": t1" not in caplog.text


@pytest.mark.parametrize("sources", [{}, {"t1": "train 10"}])
def test_a_clip_whose_source_is_gone_or_unchanged_is_left_alone(
    tmp_path: Path, sources: dict[str, str]
) -> None:
    preprocessor(tmp_path, reader=FakeLamReader(CLIPS, sources={"t1": "train 10"})).run()
    before = made_at(tmp_path)
    report = preprocessor(tmp_path, reader=FakeLamReader(GONE, sources=sources)).run()
    assert not report.has_errors
    assert made_at(tmp_path) == before


def test_a_changed_clip_that_fails_keeps_the_old_one(tmp_path: Path) -> None:
    preprocessor(tmp_path, reader=FakeLamReader(CLIPS, sources={"t1": "train 10"})).run()
    before = contents(tmp_path / "packs")
    torn = FakeLamReader(CLIPS | {"t1": [IMAGE, ValueError("torn")]}, sources={"t1": "train 9"})
    for _ in range(2):
        report = preprocessor(tmp_path, reader=torn).run()
        assert list(report.failed_groups) == ["t1"]
        assert "torn" in report.failed_groups["t1"]
    assert contents(tmp_path / "packs") == before
    assert frames(tmp_path).filter(group_name="t1").height == 4


def test_a_clip_that_lost_frames_is_made_again_from_a_whole_file(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    lossy = CLIPS | {"t1": [IMAGE, "a.mp4: decoding failed after 1 frames"]}
    report = preprocessor(tmp_path, lossy).run()
    assert "mode=repair" in report.summary()
    assert "mode=repair" in preprocessor(tmp_path, lossy).check().summary()
    before = made_at(tmp_path)
    # Nothing is told of what it is made from, so a run has no reason to ask.
    assert preprocessor(tmp_path).run().has_errors
    assert made_at(tmp_path) == before
    assert not preprocessor(tmp_path).repair().has_errors
    assert re.search("1 group .*: t1", caplog.text)
    assert remade(tmp_path, before) == {"t1"}
    assert frames(tmp_path).filter(group_name="t1").height == 4


def test_a_clip_whose_file_is_gone_keeps_what_it_has(tmp_path: Path) -> None:
    lossy = CLIPS | {"t1": [IMAGE, "a.mp4: decoding failed after 1 frames"]}
    preprocessor(tmp_path, lossy).run()
    report = preprocessor(tmp_path, GONE).repair()
    assert list(report.failed_groups) == ["t1"]
    assert "no video" in report.failed_groups["t1"]
    assert frames(tmp_path).filter(group_name="t1").height == 1
