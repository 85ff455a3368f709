"""Clips made again: no table of frames points into a pack that is no longer there."""

from pathlib import Path

import pytest
from builders.fake_lam import IMAGE, NO_IMAGE, FakeLamReader
from builders.preprocessed_clips import CLIPS, assert_same, contents, frames, preprocessor

from common.preprocessing import share as preprocess_run
from common.store.reading import EmptyStoreError
from gazepose.store.table import LamTable

BEFORE = FakeLamReader(CLIPS, sources={"t1": "train 10"})
OTHER_CLIPS = CLIPS | {"t1": [NO_IMAGE, IMAGE, IMAGE]}
AFTER = FakeLamReader(OTHER_CLIPS, sources={"t1": "train 11"})


def interrupted(clip: str) -> FakeLamReader:
    return FakeLamReader(OTHER_CLIPS | {clip: [IMAGE, KeyboardInterrupt()]}, sources=AFTER.sources)


def test_an_interruption_after_a_replaced_clip_leaves_no_table_of_frames(tmp_path: Path) -> None:
    store, whole = tmp_path / "store", tmp_path / "whole"
    preprocessor(store, reader=BEFORE).run()
    (store / "tables" / "v1.parquet").unlink()
    with pytest.raises(KeyboardInterrupt):
        preprocessor(store, reader=interrupted("v1")).run()
    with pytest.raises(EmptyStoreError, match=r"frames\.parquet.*python preprocess\.py"):
        LamTable.read(store)
    preprocessor(store, reader=AFTER).run()
    preprocessor(whole, reader=AFTER).run()
    assert_same(store, whole)


def test_a_clip_whose_table_was_removed_by_hand_is_replaced_too(tmp_path: Path) -> None:
    preprocessor(tmp_path).run()
    for clip in ("t1", "v1"):
        (tmp_path / "tables" / f"{clip}.parquet").unlink()
    with pytest.raises(KeyboardInterrupt):
        preprocessor(tmp_path, OTHER_CLIPS | {"v1": [KeyboardInterrupt()]}).run()
    assert not (tmp_path / "frames.parquet").exists()


def test_an_interruption_before_anything_is_replaced_keeps_the_table(tmp_path: Path) -> None:
    few = {clip: kinds for clip, kinds in CLIPS.items() if clip != "v2"}
    preprocessor(tmp_path, few).run()
    before = contents(tmp_path / "packs"), frames(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        preprocessor(tmp_path, CLIPS | {"v2": [KeyboardInterrupt()]}).run()
    assert contents(tmp_path / "packs") == before[0]
    assert frames(tmp_path).fill_nan(None).equals(before[1].fill_nan(None))


def test_an_interruption_within_a_clip_that_is_made_again_keeps_the_table(tmp_path: Path) -> None:
    preprocessor(tmp_path, reader=BEFORE).run()
    before = contents(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        preprocessor(tmp_path, reader=interrupted("t1")).run()
    after = contents(tmp_path)
    assert {path: after[path] for path in before if path.parent.name == "packs"} == {
        path: content for path, content in before.items() if path.parent.name == "packs"
    }
    assert after[tmp_path / "frames.parquet"] == before[tmp_path / "frames.parquet"]


def test_a_long_comparison_is_announced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    preprocessor(tmp_path, reader=BEFORE).run()
    preprocessor(tmp_path, reader=BEFORE).run()
    assert "5 groups" not in caplog.text
    monkeypatch.setattr(preprocess_run, "_MANY_GROUPS", 5)
    preprocessor(tmp_path, reader=BEFORE).run()
    assert "5 groups" in caplog.text
