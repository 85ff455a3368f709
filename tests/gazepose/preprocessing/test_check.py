"""The check of a store of clips: it tells what is wrong and changes nothing."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from builders.fake_lam import IMAGE, NO_IMAGE, FakeLamReader, FakePreparation
from builders.preprocessed_clips import CLIPS, contents, damage, preprocessor

from common.preprocessing.check import CheckReport
from common.preprocessing.findings import Finding
from gazepose.preprocessing.preparation import PreparationSettings
from gazepose.preprocessing.preprocessor import LamPreprocessor
from gazepose.preprocessing.prior_check import preparation_of
from gazepose.readers.sample import RawReader
from gazepose.readers.videos_challenge import VideosChallengeReader


def told_of_the_table(store_dir: Path) -> list[str]:
    """The severities of what a check says of the table of all frames."""
    found = preprocessor(store_dir).check().findings
    return [finding.severity for finding in found if finding.where.endswith("frames.parquet")]


@pytest.mark.parametrize(("severity", "has"), [("error", True), ("warning", False)])
def test_only_an_error_makes_a_check_fail(tmp_path: Path, severity: Any, has: bool) -> None:
    findings = (Finding("note", "two parts", "here"), Finding(severity, "no list", "here"))
    reader = FakeLamReader(CLIPS, findings=findings)
    assert preprocessor(tmp_path, reader=reader).check().has_errors == has


def errors(reader: RawReader, store_dir: Path, **preparation: Any) -> list[str]:
    """What a check that takes landmarks or head poses from prior files finds wrong."""
    settings = PreparationSettings(**preparation)
    found = LamPreprocessor("x", reader, store_dir, settings).check().findings
    return [f"{one.what} -> {one.remedy}" for one in found if one.severity == "error"]


def test_data_that_bring_no_prior_files_are_measured_or_refused(tmp_path: Path) -> None:
    reader = FakeLamReader(CLIPS)
    (error,) = errors(reader, tmp_path, landmarks="prior", head_pose="mesh")
    assert re.search("no json_prior files -> .*landmarks=mesh", error)
    either = {"landmarks": "prior_or_mesh", "head_pose": "mesh"}
    assert errors(reader, tmp_path, **either) == []
    assert preparation_of(reader, PreparationSettings(**either), "t1").landmarks == "mesh"  # type: ignore[arg-type]


def test_of_a_folder_of_something_else_nothing_more_is_said(tmp_path: Path) -> None:
    (error,) = errors(VideosChallengeReader(tmp_path), tmp_path / "store", landmarks="prior")
    assert "videos_challenge" in error


def test_check_without_a_store_makes_none(tmp_path: Path) -> None:
    doubt = Finding("warning", "clip c2 is missing", "clips/c2.mp4", "download it")
    report = preprocessor(tmp_path / "s", reader=FakeLamReader(CLIPS, findings=(doubt,))).check()
    assert isinstance(report, CheckReport)
    assert report.findings[0] == doubt
    assert [(f.severity, f.where) for f in report.findings[1:]] == [("note", str(tmp_path / "s"))]
    assert not (tmp_path / "s").exists()


def test_a_check_names_what_is_damaged_and_changes_nothing(tmp_path: Path) -> None:
    preprocessor(tmp_path).run()
    damage(tmp_path, "t1")
    (tmp_path / "tables" / "v1.parquet").write_bytes(b"torn")
    before = contents(tmp_path)
    report = preprocessor(tmp_path).check()
    assert report.has_errors
    assert re.search("2 groups .*: t1, v1", report.summary())
    assert "mode=repair" in report.summary()
    assert report.missing == []
    assert contents(tmp_path) == before


def test_a_check_looks_at_the_packs_of_its_shard_alone(tmp_path: Path) -> None:
    preprocessor(tmp_path).run()
    damage(tmp_path, "t1")
    assert not preprocessor(tmp_path, shard="1/2").check().has_errors
    assert preprocessor(tmp_path, shard="0/2").check().has_errors


def test_check_of_a_sound_store_finds_only_the_clips_without_an_image(tmp_path: Path) -> None:
    preprocessor(tmp_path).run()
    before = contents(tmp_path)
    report = preprocessor(tmp_path).check()
    (finding,) = report.findings
    assert re.search("1 group .*: t3", finding.what)
    assert (report.missing, report.has_errors) == ([], False)
    assert contents(tmp_path) == before


def test_a_clip_that_could_not_be_made_is_an_error_until_it_is(tmp_path: Path) -> None:
    preprocessor(tmp_path, CLIPS | {"v1": [ValueError("torn mp4")]}).run()
    report = preprocessor(tmp_path).check()
    assert report.has_errors
    assert re.search(r"1 group .*: v1 \(torn mp4\)", report.summary())
    preprocessor(tmp_path).run()
    assert not preprocessor(tmp_path).check().has_errors


def test_half_a_recipe_is_an_error_of_the_check(tmp_path: Path) -> None:
    preprocessor(tmp_path).run()
    (tmp_path / "store.json").write_text('{"data": ')
    report = preprocessor(tmp_path).check()
    assert report.has_errors
    assert "store.json" in report.summary()


@pytest.mark.parametrize("damage_table", [Path.unlink, lambda path: path.write_bytes(b"torn")])
def test_check_tells_of_a_table_that_the_next_run_writes(
    tmp_path: Path, damage_table: Callable[[Path], object]
) -> None:
    preprocessor(tmp_path).run()
    damage_table(tmp_path / "frames.parquet")
    assert told_of_the_table(tmp_path) == ["warning"]
    preprocessor(tmp_path).run()
    assert told_of_the_table(tmp_path) == []


def test_check_tells_of_a_table_older_than_the_clips(tmp_path: Path) -> None:
    preprocessor(tmp_path).run()
    old = (tmp_path / "frames.parquet").read_bytes()
    darker = FakeLamReader(CLIPS | {"t1": [NO_IMAGE, IMAGE]}, sources={"t1": "new"})
    damage(tmp_path, "t1")
    preprocessor(tmp_path, reader=darker).repair()
    (tmp_path / "frames.parquet").write_bytes(old)  # as if killed before the end
    assert told_of_the_table(tmp_path) == ["warning"]
    preprocessor(tmp_path).run()
    assert told_of_the_table(tmp_path) == []


def test_check_lists_clips_still_to_make(tmp_path: Path) -> None:
    preprocessor(tmp_path, shard="0/2").run()
    assert preprocessor(tmp_path).check().missing == ["t2", "v1"]


def test_a_check_with_other_settings_says_so(tmp_path: Path) -> None:
    preprocessor(tmp_path).run()
    damage(tmp_path, "t1")
    before = contents(tmp_path)
    report = preprocessor(tmp_path, preparation=FakePreparation(margin=0.2)).check()
    assert report.findings[-1].severity == "error"
    assert re.search(r"margin.* 0\.0 .* 0\.2 ", report.findings[-1].what)
    assert contents(tmp_path) == before


def test_a_run_does_not_pass_over_a_damaged_table(tmp_path: Path) -> None:
    preprocessor(tmp_path).run()
    (tmp_path / "tables" / "t1.parquet").write_bytes(b"torn")
    with pytest.raises(ValueError, match=r"t1\.parquet.*mode=repair"):
        preprocessor(tmp_path).run()
