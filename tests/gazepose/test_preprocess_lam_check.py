"""The check of a store of clips: it tells what is wrong and removes what is damaged."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fake_lam import FakeLamReader, FakePreparation
from preprocessed_clips import CLIPS, assert_same, damage, made_at, preprocessor

from common.facestore import damaged_groups, stored_groups
from common.findings import Finding
from gazepose.preprocess_report import CheckReport


@pytest.mark.parametrize(("severity", "has"), [("error", True), ("warning", False)])
def test_only_an_error_makes_a_check_fail(tmp_path: Path, severity: Any, has: bool) -> None:
    findings = (Finding("note", "two parts", "here"), Finding(severity, "no list", "here"))
    reader = FakeLamReader(CLIPS, findings=findings)
    assert preprocessor(tmp_path, reader=reader).check().has_errors == has


def test_check_without_a_store_makes_none(tmp_path: Path) -> None:
    doubt = Finding("warning", "clip c2 is missing", "clips/c2.mp4", "download it")
    report = preprocessor(tmp_path / "s", reader=FakeLamReader(CLIPS, findings=(doubt,))).check()
    assert isinstance(report, CheckReport)
    assert report.findings[0] == doubt
    assert "no store yet" in report.summary()
    assert not (tmp_path / "s").exists()


def test_check_removes_what_is_damaged_and_the_next_run_makes_it(tmp_path: Path) -> None:
    preprocessor(tmp_path / "whole").run()
    preprocessor(tmp_path / "store").run()
    before = made_at(tmp_path / "store")
    damage(tmp_path / "store", "t1")
    (tmp_path / "store" / "tables" / "v1.parquet").write_bytes(b"torn")
    report = preprocessor(tmp_path / "store").check()
    assert report.removed == report.missing == ["t1", "v1"]
    assert "2 clips found damaged and removed: t1, v1" in report.summary()
    assert stored_groups(tmp_path / "store") == ["t2", "t3", "v2"]
    assert not (tmp_path / "store" / "frames.parquet").exists()
    preprocessor(tmp_path / "store").run()
    assert damaged_groups(tmp_path / "store") == []
    assert_same(tmp_path / "store", tmp_path / "whole")
    after = made_at(tmp_path / "store")
    assert {name for name in before if after[name] != before[name]} == {"t1", "v1"}


def test_check_of_a_sound_store_touches_nothing(tmp_path: Path) -> None:
    preprocessor(tmp_path).run()
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    report = preprocessor(tmp_path).check()
    assert (report.removed, report.missing) == ([], [])
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


@pytest.mark.parametrize("damage_table", [Path.unlink, lambda path: path.write_bytes(b"torn")])
def test_check_tells_of_a_table_that_the_next_run_writes(
    tmp_path: Path, damage_table: Callable[[Path], object]
) -> None:
    preprocessor(tmp_path).run()
    damage_table(tmp_path / "frames.parquet")
    finding = preprocessor(tmp_path).check().findings[-1]
    assert (finding.severity, finding.what) == ("warning", "missing or damaged")
    assert finding.where.endswith("frames.parquet")
    preprocessor(tmp_path).run()
    assert preprocessor(tmp_path).check().findings == []


def test_check_lists_clips_still_to_make(tmp_path: Path) -> None:
    preprocessor(tmp_path, shard="0/2").run()
    assert preprocessor(tmp_path).check().missing == ["t2", "v1"]


def test_check_with_other_settings_removes_nothing(tmp_path: Path) -> None:
    preprocessor(tmp_path).run()
    damage(tmp_path, "t1")
    report = preprocessor(tmp_path, preparation=FakePreparation(margin=0.2)).check()
    assert report.findings[-1].severity == "error"
    assert "made with other settings" in report.findings[-1].what
    assert stored_groups(tmp_path) == sorted(CLIPS)


def test_a_run_does_not_pass_over_a_damaged_table(tmp_path: Path) -> None:
    preprocessor(tmp_path).run()
    (tmp_path / "tables" / "t1.parquet").write_bytes(b"torn")
    with pytest.raises(ValueError, match=r"t1\.parquet is damaged.*mode=check"):
        preprocessor(tmp_path).run()
