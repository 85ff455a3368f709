"""Preprocessing: faces are stored, reasons counted, interruptions lose one group at most."""

import subprocess
import sys
from pathlib import Path

import pytest
from builders.fake_faces import FACE, NO_FACE
from builders.preprocessed_people import PEOPLE, made_at, preprocessor
from builders.recorded_bars import recorded_bars

from common.store.reading import FaceStore, missing_groups, stored_groups

NUM_FACES = {"p1": 3, "p2": 1, "p3": 0, "p4": 1, "p5": 2}


def test_faces_are_stored_and_the_rest_counted_by_reason_and_named(tmp_path: Path) -> None:
    report = preprocessor(tmp_path).run()
    text = (tmp_path / "report.txt").read_text()
    assert text == report.text() + "\n"
    assert "p1_2\tno face found" in text
    assert "p2_1\tunreadable photo" in text
    assert report.num_faces == sum(NUM_FACES.values())
    groups = FaceStore(tmp_path).table["group_name"].to_list()
    assert {name: groups.count(name) for name in PEOPLE} == NUM_FACES
    lines = [line.strip() for line in report.summary().splitlines()]
    assert lines[0] == "7 faces stored, 6 items skipped"
    off_the_frame = next(line for line in lines if "off the frame" in line)
    expected = {"2  no face found", "2  unreadable photo", "1  2 faces found", off_the_frame}
    assert set(lines[1:5]) == expected
    assert off_the_frame.startswith("1  ")


def test_a_data_set_without_a_face_is_reported_not_fatal(tmp_path: Path) -> None:
    report = preprocessor(tmp_path, {"p1": [NO_FACE]}).run()
    assert (report.num_faces, len(report.skipped), report.has_errors) == (0, 1, True)
    assert stored_groups(tmp_path) == ["p1"]


def test_a_group_whose_raw_data_changed_is_made_anew_and_no_other(tmp_path: Path) -> None:
    preprocessor(tmp_path, PEOPLE | {"p4": ["unreadable photo"]}, compares=True).run()
    before = made_at(tmp_path)
    report = preprocessor(tmp_path, compares=True).run()
    after = made_at(tmp_path)
    assert {group for group in PEOPLE if after[group] != before[group]} == {"p4"}
    assert report.num_faces == 7
    assert not report.has_errors


def test_the_bar_moves_by_the_photo_in_a_worker_process_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bars = recorded_bars(monkeypatch)
    people = PEOPLE | {"p2": [FACE, FACE, ValueError("torn"), FACE]}
    preprocessor(tmp_path, people, num_workers=1).run()
    # Two of the failed group's four were done.
    assert (bars[0].total, bars[0].n) == (13, 11)


def test_an_unfinished_run_may_go_on_with_other_shards(tmp_path: Path) -> None:
    preprocessor(tmp_path, shard="0/2").run()
    preprocessor(tmp_path, shard="0/3").run()
    preprocessor(tmp_path, shard="0/1").run()
    assert stored_groups(tmp_path) == sorted(PEOPLE)


def test_more_shards_than_groups_leave_some_with_nothing_to_do(tmp_path: Path) -> None:
    report = preprocessor(tmp_path, shard="7/8").run()
    assert report.num_faces == 0


def test_a_run_does_not_pass_over_a_damaged_table(tmp_path: Path) -> None:
    preprocessor(tmp_path).run()
    (tmp_path / "tables" / "p1.parquet").write_bytes(b"torn")
    with pytest.raises(ValueError, match=r"p1\.parquet.*mode=repair"):
        preprocessor(tmp_path).run()


def test_what_one_shard_made_is_known_to_be_incomplete(tmp_path: Path) -> None:
    preprocessor(tmp_path, shard="0/2").run()
    assert missing_groups(tmp_path) == ["p2", "p4"]
    preprocessor(tmp_path, PEOPLE | {"p4": [ValueError("torn")]}).run()
    assert missing_groups(tmp_path) == ["p4"]
    preprocessor(tmp_path).run()
    assert missing_groups(tmp_path) == []


WITHOUT_TORCH = """
import sys
import flame.preprocessing.preprocessor, flame.readers.columbiagaze
import flame.readers.eyediap.reader, flame.readers.flame_layout, common.preprocessing.command
heavy = {"torch", "torchvision", "torchmetrics", "pytorch_lightning"}
print(sorted(heavy.intersection(sys.modules)))
"""


def test_preprocessing_imports_no_torch(tmp_path: Path) -> None:
    """Each spawned worker would spend seconds on it."""
    command = [sys.executable, "-c", WITHOUT_TORCH]
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
