"""Preprocessing of groups that fail: the reason is reported, the others are made."""

from pathlib import Path

from builders.fake_faces import FakeAnalyzerSettings, FakeReader
from builders.preprocessed_people import PEOPLE, preprocessor

from flame.preprocessing.preparation import PreparationSettings
from flame.preprocessing.preprocessor import FacePreprocessor


def test_a_shards_report_tells_the_failures_of_the_others(tmp_path: Path) -> None:
    damaged = PEOPLE | {"p2": [ValueError("no calibration")]}
    preprocessor(tmp_path, damaged, shard="1/2").run()
    report = preprocessor(tmp_path, damaged, shard="0/2").run()
    assert report.failed_groups == {"p2": "no calibration"}
    assert "p2: no calibration" in (tmp_path / "report.txt").read_text()


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
