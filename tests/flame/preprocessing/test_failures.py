"""Preprocessing of groups that fail: the reason is reported, the others are made."""

from pathlib import Path

import cv2
import pytest
from builders.fake_faces import FACE, DyingAnalyzerSettings, FakeAnalyzerSettings, FakeReader
from builders.preprocessed_people import PEOPLE, preprocessor

from common.store.reading import stored_groups
from flame.preprocessing.preparation import PreparationSettings
from flame.preprocessing.preprocessor import FacePreprocessor

ERRORS = {
    "bad labels": ValueError("bad labels"),
    "disk trouble": OSError("disk trouble"),
    "KeyError: 'eyes'": KeyError("eyes"),
    "error: OpenCV": cv2.error("OpenCV"),
}


@pytest.mark.parametrize("why", ERRORS)
def test_a_failing_group_is_reported_and_the_others_are_made(
    tmp_path: Path, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    report = preprocessor(tmp_path, PEOPLE | {"p2": [FACE, ERRORS[why]]}).run()
    assert report.failed_groups == {"p2": why}
    assert report.has_errors
    assert f"failed: p2: {why}" in report.summary()
    assert "1 group could not be made: p2" in caplog.text
    assert stored_groups(tmp_path) == ["p1", "p3", "p4", "p5"]
    again = preprocessor(tmp_path).run()
    assert (again.failed_groups, again.has_errors) == ({}, False)
    assert stored_groups(tmp_path) == sorted(PEOPLE)


def test_a_shards_report_tells_the_failures_of_the_others(tmp_path: Path) -> None:
    damaged = PEOPLE | {"p2": [ValueError("no calibration")]}
    preprocessor(tmp_path, damaged, shard="1/2").run()
    report = preprocessor(tmp_path, damaged, shard="0/2").run()
    assert report.failed_groups == {"p2": "no calibration"}
    assert "failed: p2: no calibration" in (tmp_path / "report.txt").read_text()


def test_a_group_whose_items_cannot_be_counted_stops_no_other(tmp_path: Path) -> None:
    class Uncountable(FakeReader):
        def count(self, group: str) -> int:
            raise ValueError("no table")

    made = FacePreprocessor(
        "people",
        Uncountable(PEOPLE),
        tmp_path,
        PreparationSettings(),
        FakeAnalyzerSettings(),  # type: ignore[arg-type]
        num_workers=0,
    ).run()
    assert made.num_faces == 7


def test_a_dying_worker_process_is_a_reason_not_the_end(tmp_path: Path) -> None:
    report = FacePreprocessor(
        "people",
        FakeReader({"p1": [FACE], "p2": [FACE]}),
        tmp_path,
        PreparationSettings(codec="png"),
        DyingAnalyzerSettings(),  # type: ignore[arg-type]
        num_workers=1,
    ).run()
    assert sorted(report.failed_groups) == ["p1", "p2"]
    reasons = set(report.failed_groups.values())
    assert len(reasons) == 1
    assert "a worker process died" in reasons.pop()
    assert preprocessor(tmp_path).run().failed_groups == {}
