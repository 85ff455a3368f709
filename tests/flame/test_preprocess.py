"""Preprocessing: reasons are counted, interruptions lose one group at most, shards add up."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import polars as pl
import pytest
from fake_faces import (
    FACE,
    NO_FACE,
    OFF_THE_FRAME,
    TWO_FACES,
    DyingAnalyzerSettings,
    FakeAnalyzerSettings,
    FakeReader,
)
from tqdm import tqdm

from common import preprocess_pool
from common.facestore import FaceStore, damaged_groups, read_recipe, stored_groups
from common.shards import parse_shard
from flame.preparation import PreparationSettings
from flame.preprocess import FacePreprocessor

PEOPLE: dict[str, Any] = {
    "p1": [FACE, FACE, NO_FACE, FACE],
    "p2": [FACE, "unreadable photo", TWO_FACES, "unreadable photo"],
    "p3": [OFF_THE_FRAME, NO_FACE],
    "p4": [FACE],
    "p5": [FACE, FACE],
}
NUM_FACES = {"p1": 3, "p2": 1, "p3": 0, "p4": 1, "p5": 2}


def preprocessor(store_dir: Path, kinds: Any = None, **settings: Any) -> FacePreprocessor:
    preparation = PreparationSettings(codec="png", box_margin=settings.pop("box_margin", 0.05))
    return FacePreprocessor(
        settings.pop("name", "people"),
        FakeReader(kinds or PEOPLE, settings=settings.pop("reader_settings", {})),
        store_dir,
        preparation,
        FakeAnalyzerSettings(),  # type: ignore[arg-type]
        **({"num_workers": 0} | settings),
    )


def content(store_dir: Path) -> tuple[pl.DataFrame, list[bytes]]:
    """All rows and packs, as bytes."""
    packs = [path.read_bytes() for path in sorted((store_dir / "packs").glob("*.pack"))]
    return FaceStore(store_dir).table, packs


def made_at(store_dir: Path) -> dict[str, int]:
    return {path.stem: path.stat().st_mtime_ns for path in (store_dir / "tables").glob("*.parquet")}


def assert_same(one: Path, other: Path) -> None:
    (table, packs), (other_table, other_packs) = content(one), content(other)
    assert table.equals(other_table)
    assert packs == other_packs


def test_faces_are_stored_and_the_rest_counted_by_reason(tmp_path: Path) -> None:
    report = preprocessor(tmp_path).run()
    assert report.num_faces == sum(NUM_FACES.values())
    groups = FaceStore(tmp_path).table["group_name"].to_list()
    assert {name: groups.count(name) for name in PEOPLE} == NUM_FACES
    lines = [line.strip() for line in report.summary().splitlines()]
    assert lines[0] == "7 faces stored, 6 items skipped"
    off_the_frame = next(line for line in lines if "off the frame" in line)
    expected = {"2  no face found", "2  unreadable photo", "1  2 faces found", off_the_frame}
    assert set(lines[1:5]) == expected
    assert off_the_frame.startswith("1  ")


def test_the_report_file_names_every_skipped_item(tmp_path: Path) -> None:
    report = preprocessor(tmp_path).run()
    text = (tmp_path / "report.txt").read_text()
    assert text == report.text() + "\n"
    assert "p1_2\tno face found" in text
    assert "p2_1\tunreadable photo" in text


def test_a_data_set_without_a_face_is_reported_not_fatal(tmp_path: Path) -> None:
    report = preprocessor(tmp_path, {"p1": [NO_FACE]}).run()
    assert (report.num_faces, len(report.skipped)) == (0, 1)
    assert stored_groups(tmp_path) == ["p1"]


def test_a_second_run_makes_nothing_anew(tmp_path: Path) -> None:
    preprocessor(tmp_path).run()
    before = made_at(tmp_path)
    report = preprocessor(tmp_path).run()
    assert made_at(tmp_path) == before
    assert report.num_faces == 7


def test_an_interruption_keeps_the_finished_groups(tmp_path: Path) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    preprocessor(whole).run()
    interrupted = PEOPLE | {"p3": [OFF_THE_FRAME, KeyboardInterrupt()]}
    with pytest.raises(KeyboardInterrupt):
        preprocessor(broken, interrupted).run()
    assert stored_groups(broken) == ["p1", "p2"]
    before = made_at(broken)
    preprocessor(broken).run()
    assert {name: time for name, time in made_at(broken).items() if name in before} == before
    assert_same(broken, whole)


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
        FakeReader(PEOPLE),
        tmp_path,
        PreparationSettings(codec="png"),
        DyingAnalyzerSettings(),  # type: ignore[arg-type]
        num_workers=1,
    ).run()
    assert sorted(report.failed_groups) == sorted(PEOPLE)
    reasons = set(report.failed_groups.values())
    assert len(reasons) == 1
    assert "a worker process died" in reasons.pop()
    assert preprocessor(tmp_path).run().failed_groups == {}


@pytest.mark.parametrize("num_workers", [0, 1])
def test_the_bar_moves_by_the_photo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, num_workers: int
) -> None:
    bars: list[Any] = []

    class RecordedBar(tqdm):
        def __init__(self, *args: Any, **settings: Any) -> None:
            super().__init__(*args, **settings)
            bars.append(self)

    monkeypatch.setattr(preprocess_pool, "tqdm", RecordedBar)
    people = PEOPLE | {"p2": [FACE, FACE, ValueError("torn"), FACE]}
    preprocessor(tmp_path, people, num_workers=num_workers).run()
    # Two of the failed group's four were done.
    assert (bars[0].total, bars[0].n) == (13, 11)


WITHOUT_TORCH = """
import sys
import flame.preprocess, flame.columbiagaze, flame.eyediap, flame.layout, common.preprocessing
heavy = {"torch", "torchvision", "torchmetrics", "pytorch_lightning"}
print(sorted(heavy.intersection(sys.modules)))
"""


def test_preprocessing_imports_no_torch(tmp_path: Path) -> None:
    """Each spawned worker would spend seconds on it."""
    command = [sys.executable, "-c", WITHOUT_TORCH]
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_shards_together_equal_the_whole(tmp_path: Path) -> None:
    preprocessor(tmp_path / "whole", shard="0/1").run()
    for shard, groups in (("1/2", ["p2", "p4"]), ("0/2", sorted(PEOPLE))):
        preprocessor(tmp_path / "shards", shard=shard).run()
        assert stored_groups(tmp_path / "shards") == groups
    assert_same(tmp_path / "shards", tmp_path / "whole")


def test_an_unfinished_run_may_go_on_with_other_shards(tmp_path: Path) -> None:
    preprocessor(tmp_path, shard="0/2").run()
    preprocessor(tmp_path, shard="0/3").run()
    preprocessor(tmp_path, shard="0/1").run()
    assert stored_groups(tmp_path) == sorted(PEOPLE)


def test_more_shards_than_groups_leave_some_with_nothing_to_do(tmp_path: Path) -> None:
    report = preprocessor(tmp_path, shard="7/8").run()
    assert report.num_faces == 0


@pytest.mark.parametrize("shard", ["", "1", "2/2", "3/2", "-1/2", "0/0", "a/b", "1/2/3", "0.5/2"])
def test_a_malformed_shard_is_refused(shard: str) -> None:
    with pytest.raises(ValueError, match="expected i/n with 0 <= i < n"):
        parse_shard(shard)


@pytest.mark.parametrize("num_workers", [1, 2])
def test_processes_make_what_this_one_makes(tmp_path: Path, num_workers: int) -> None:
    preprocessor(tmp_path / "here").run()
    preprocessor(tmp_path / "there", num_workers=num_workers).run()
    assert_same(tmp_path / "here", tmp_path / "there")


def damage(store_dir: Path, group: str) -> None:
    pack = store_dir / "packs" / f"{group}.pack"
    data = bytearray(pack.read_bytes())
    data[len(data) // 2] ^= 255
    pack.write_bytes(data)


def test_check_makes_a_damaged_pack_again_and_nothing_else(tmp_path: Path) -> None:
    preprocessor(tmp_path / "whole").run()
    preprocessor(tmp_path / "store").run()
    before = made_at(tmp_path / "store")
    damage(tmp_path / "store", "p5")
    report = preprocessor(tmp_path / "store").check()
    assert damaged_groups(tmp_path / "store") == []
    assert report.num_faces == 7
    assert_same(tmp_path / "store", tmp_path / "whole")
    after = made_at(tmp_path / "store")
    assert [name for name in before if after[name] != before[name]] == ["p5"]


def test_check_makes_a_damaged_table_again(tmp_path: Path) -> None:
    preprocessor(tmp_path).run()
    (tmp_path / "tables" / "p1.parquet").write_bytes(b"torn")
    assert preprocessor(tmp_path).check().num_faces == 7


def test_a_run_does_not_pass_over_a_damaged_table(tmp_path: Path) -> None:
    preprocessor(tmp_path).run()
    (tmp_path / "tables" / "p1.parquet").write_bytes(b"torn")
    with pytest.raises(ValueError, match=r"p1\.parquet is damaged.*mode=check"):
        preprocessor(tmp_path).run()


def test_check_of_a_shard_touches_its_own_groups_alone(tmp_path: Path) -> None:
    preprocessor(tmp_path).run()
    damage(tmp_path, "p1")
    damage(tmp_path, "p2")
    preprocessor(tmp_path, shard="0/2").check()
    assert stored_groups(tmp_path) == sorted(PEOPLE)
    assert damaged_groups(tmp_path) == ["p2"]


def test_check_with_other_settings_removes_nothing(tmp_path: Path) -> None:
    preprocessor(tmp_path).run()
    damage(tmp_path, "p1")
    with pytest.raises(ValueError, match=r"made with other settings \(box_margin: 0.05 there, 0.2"):
        preprocessor(tmp_path, box_margin=0.2).check()
    assert stored_groups(tmp_path) == sorted(PEOPLE)


def test_other_settings_of_reader_or_preparation_are_refused(tmp_path: Path) -> None:
    preprocessor(tmp_path).run()
    with pytest.raises(ValueError, match=r"box_margin: 0.05 there, 0.2 now"):
        preprocessor(tmp_path, box_margin=0.2).run()
    with pytest.raises(ValueError, match=r"frame_step: None there, 5 now"):
        preprocessor(tmp_path, reader_settings={"frame_step": 5}).run()
    assert read_recipe(tmp_path)["gaze_convention"] == "columbia_target_angles"


def test_another_data_set_is_refused_by_its_name(tmp_path: Path) -> None:
    preprocessor(tmp_path).run()
    with pytest.raises(ValueError, match=r"data: 'people' there, 'others' now"):
        preprocessor(tmp_path, name="others").run()


def test_groups_that_the_raw_data_lack_are_another_folders(tmp_path: Path) -> None:
    preprocessor(tmp_path).run()
    before = made_at(tmp_path)
    for work in ("run", "check"):
        with pytest.raises(
            ValueError, match=r"do not have: p1, p2, p3.*another data set.*data\.name=NAME"
        ):
            getattr(preprocessor(tmp_path, {"p4": [FACE], "p9": [FACE]}), work)()
    assert made_at(tmp_path) == before


def test_a_wrong_folder_leaves_no_store(tmp_path: Path) -> None:
    class WrongFolder(FakeReader):
        def groups(self) -> list[str]:
            raise ValueError("no photos there")

    wrong = FacePreprocessor(
        "people",
        WrongFolder({}),
        tmp_path / "store",
        PreparationSettings(),
        FakeAnalyzerSettings(),  # type: ignore[arg-type]
    )
    with pytest.raises(ValueError, match="no photos there"):
        wrong.run()
    assert not (tmp_path / "store").exists()


def test_openface_without_its_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"set data\.openface_dir=FOLDER"):
        FacePreprocessor(
            "people",
            FakeReader(PEOPLE),
            tmp_path,
            PreparationSettings(landmarks="openface"),
            FakeAnalyzerSettings(),  # type: ignore[arg-type]
        )


def test_an_openface_folder_without_csv_is_refused_before_any_photo(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no csv file in"):
        FacePreprocessor(
            "people",
            FakeReader(PEOPLE),
            tmp_path / "store",
            PreparationSettings(landmarks="openface"),
            FakeAnalyzerSettings(),  # type: ignore[arg-type]
            openface_dir=tmp_path,
        ).run()
    assert not (tmp_path / "store").exists()
