"""Preprocessing: one bad clip stops no other, interruptions lose one clip at most."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from fake_lam import IMAGE, NO_IMAGE, FakeLamReader, FakePreparation, FakePreparer
from tqdm import tqdm

from common import preprocess_pool
from common.facestore import FaceStore, damaged_groups, stored_groups
from gazepose.preprocess import LamPreprocessor
from gazepose.preprocess_report import CheckReport
from gazepose.sample import Finding, PreparedFace

CLIPS: dict[str, Any] = {
    "t1": [IMAGE, IMAGE, NO_IMAGE, IMAGE],
    "t2": [IMAGE, "a box of nobody", IMAGE],
    "t3": ["a box of nobody"],
    "v1": [IMAGE, IMAGE],
    "v2": [NO_IMAGE, IMAGE],
}
NUM_ROWS = {"t1": 4, "t2": 2, "t3": 0, "v1": 2, "v2": 2}


def preprocessor(
    store_dir: Path, clips: Any = None, reader: Any = None, preparation: Any = None, **settings: Any
) -> LamPreprocessor:
    return LamPreprocessor(
        settings.pop("name", "clips"),
        FakeLamReader(CLIPS if clips is None else clips) if reader is None else reader,
        store_dir,
        FakePreparation() if preparation is None else preparation,
        **({"num_workers": 0} | settings),
    )


def frames(store_dir: Path) -> pl.DataFrame:
    return pl.read_parquet(store_dir / "frames.parquet")


def assert_same(one: Path, other: Path) -> None:
    assert frames(one).fill_nan(None).equals(frames(other).fill_nan(None))
    for path in (one / "packs").glob("*.pack"):
        assert path.read_bytes() == (other / "packs" / path.name).read_bytes()


def made_at(store_dir: Path) -> dict[str, int]:
    return {path.stem: path.stat().st_mtime_ns for path in (store_dir / "tables").glob("*.parquet")}


def damage(store_dir: Path, group: str) -> None:
    pack = store_dir / "packs" / f"{group}.pack"
    data = bytearray(pack.read_bytes())
    data[len(data) // 2] ^= 255
    pack.write_bytes(data)


def test_rows_of_all_parts_are_in_one_table_with_their_images(tmp_path: Path) -> None:
    preprocessor(tmp_path).run()
    table = frames(tmp_path)
    counts = table.group_by("group_name").len().rows()
    assert dict(counts) == {name: count for name, count in NUM_ROWS.items() if count}
    assert set(table["part"]) == {"train", "val"}
    store = FaceStore(tmp_path)
    for row, number in enumerate(store.table["num_bytes"].to_list()):
        if number:
            assert store.image(row)[0, 0, 0] == store.table["sharpness"][row]
    without = table.filter(num_bytes=0)
    assert without.select("group_name", "track_index").rows() == [("t1", 2), ("v2", 0)]
    assert without["sharpness"].is_nan().all()


def test_a_window_is_one_stretch_of_its_pack(tmp_path: Path) -> None:
    preprocessor(tmp_path, {"t1": [IMAGE] * 9}).run()
    places = frames(tmp_path).select("offset", "num_bytes").to_numpy()
    assert (places[1:, 0] == places[:-1].sum(1)).all()


def test_the_report_counts_by_part_and_names_every_item(tmp_path: Path) -> None:
    report = preprocessor(tmp_path).run()
    lines = report.summary().splitlines()
    assert lines[0].startswith("train: 2 clips, 2 tracks, 6 frames, 5 images, 4 looking, 5 points")
    assert lines[1].startswith("val: 2 clips, 2 tracks, 4 frames, 3 images, 2 looking")
    assert lines[2:] == ["2 boxes or images skipped", "       2  a box of nobody"]
    text = (tmp_path / "report.txt").read_text()
    assert text == report.text() + "\n"
    assert "t2:t:1\ta box of nobody" in text


class HidingPreparer(FakePreparer):
    """Finds points in a clip's dark second frame only."""

    def from_frame(self, frame: np.ndarray, bbox_xyxy_px: np.ndarray) -> PreparedFace | None:
        face = super().from_frame(frame, bbox_xyxy_px)
        return face if face is None or frame.mean() < 20 else replace(face, points=None)


class HidingPreparation(FakePreparation):
    def build(self) -> FakePreparer:
        return HidingPreparer()


@pytest.mark.parametrize(
    ("landmarks", "num_images", "is_doubtful"),
    [("mesh", 4, True), ("pose", 4, True), ("mesh", 3, False), ("prior", 4, False)],
)
def test_a_clip_in_which_few_faces_got_points_is_doubted(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    landmarks: str,
    num_images: int,
    is_doubtful: bool,
) -> None:
    preparation = HidingPreparation(landmarks=landmarks)
    clips = {"t1": [NO_IMAGE, *[IMAGE] * num_images]}
    report = preprocessor(tmp_path, clips, preparation=preparation).run()
    doubt = "1 clip in which few faces got points: t1 (1 of 4 images); is this the right video?"
    assert not report.has_errors
    for said in (caplog.text, report.summary(), (tmp_path / "report.txt").read_text()):
        assert (doubt in said) == is_doubtful
    assert ("t1\tpoints on 1 of 4 images" in report.text()) == is_doubtful


def test_nothing_at_all_is_reported_not_fatal(tmp_path: Path) -> None:
    report = preprocessor(tmp_path, {"t3": ["a box of nobody"]}).run()
    assert report.summary().splitlines()[0] == "no clip stored"
    assert frames(tmp_path).height == 0


def test_a_second_run_makes_nothing_anew(tmp_path: Path) -> None:
    preprocessor(tmp_path).run()
    before = made_at(tmp_path)
    preprocessor(tmp_path).run()
    assert made_at(tmp_path) == before


def test_an_interruption_keeps_the_finished_clips(tmp_path: Path) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    preprocessor(whole).run()
    with pytest.raises(KeyboardInterrupt):
        preprocessor(broken, CLIPS | {"v1": [IMAGE, KeyboardInterrupt()]}).run()
    assert stored_groups(broken) == ["t1", "t2", "t3"]
    assert not (broken / "frames.parquet").exists()
    before = made_at(broken)
    preprocessor(broken).run()
    assert {name: time for name, time in made_at(broken).items() if name in before} == before
    assert_same(broken, whole)


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (ValueError("clip.mp4 cannot be opened as a video"), "clip.mp4 cannot be opened"),
        (OSError("disk trouble"), "disk trouble"),
        (KeyError("boxes"), "KeyError: 'boxes'"),
    ],
)
def test_a_failing_clip_is_reported_and_the_others_are_made(
    tmp_path: Path, error: Exception, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    report = preprocessor(tmp_path, CLIPS | {"t2": [IMAGE, error]}).run()
    assert why in report.failed_groups["t2"]
    assert report.has_errors
    assert "failed: t2: " in report.summary()
    assert "1 group could not be made: t2" in caplog.text
    assert set(frames(tmp_path)["group_name"]) == {"t1", "v1", "v2"}
    again = preprocessor(tmp_path).run()
    assert (again.failed_groups, again.has_errors) == ({}, False)
    assert "t2" in set(frames(tmp_path)["group_name"])


class DyingPreparation(FakePreparation):
    """Kills the process that wants to prepare, as the kernel does for want of memory."""

    def build(self) -> FakePreparer:
        os._exit(9)


def test_a_dying_worker_process_is_a_reason_not_the_end(tmp_path: Path) -> None:
    report = preprocessor(tmp_path, preparation=DyingPreparation(), num_workers=1).run()
    assert sorted(report.failed_groups) == sorted(CLIPS)
    assert "a worker process died" in report.failed_groups["t1"]
    assert preprocessor(tmp_path).run().failed_groups == {}


def test_processes_make_what_this_one_makes(tmp_path: Path) -> None:
    preprocessor(tmp_path / "here").run()
    preprocessor(tmp_path / "there", num_workers=2).run()
    assert_same(tmp_path / "here", tmp_path / "there")


def test_shards_together_equal_the_whole(tmp_path: Path) -> None:
    preprocessor(tmp_path / "whole").run()
    for shard in ("1/2", "0/2"):
        preprocessor(tmp_path / "shards", shard=shard).run()
    assert_same(tmp_path / "shards", tmp_path / "whole")


@pytest.mark.parametrize("num_workers", [0, 1])
def test_the_bar_moves_by_the_face(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, num_workers: int
) -> None:
    bars: list[Any] = []

    class RecordedBar(tqdm):
        def __init__(self, *args: Any, **settings: Any) -> None:
            super().__init__(*args, **settings)
            bars.append((self, settings["unit"]))

    monkeypatch.setattr(preprocess_pool, "tqdm", RecordedBar)
    clips = {"t1": [IMAGE, NO_IMAGE, IMAGE], "t2": [IMAGE, ValueError("torn"), IMAGE]}
    preprocessor(tmp_path, clips, num_workers=num_workers).run()
    bar, unit = bars[0]
    assert (bar.total, bar.n, unit) == (6, 4, "face")


def test_other_settings_are_refused(tmp_path: Path) -> None:
    preprocessor(tmp_path).run()
    with pytest.raises(ValueError, match=r"margin: 0.0 there, 0.2 now"):
        preprocessor(tmp_path, preparation=FakePreparation(margin=0.2)).run()
    with pytest.raises(ValueError, match=r"max_gap: None there, 5 now"):
        preprocessor(tmp_path, reader=FakeLamReader(CLIPS, {"max_gap": 5})).run()
    with pytest.raises(ValueError, match=r"data: 'clips' there, 'others' now"):
        preprocessor(tmp_path, name="others").run()
    with pytest.raises(ValueError, match=r"do not have: t1, t2, t3, v1.*another data set"):
        preprocessor(tmp_path, {"v2": CLIPS["v2"], "x": [IMAGE]}).run()


def test_another_stride_ranks_anew_without_making_anything(tmp_path: Path) -> None:
    preprocessor(tmp_path, {"t1": [IMAGE] * 6}).run()
    before = made_at(tmp_path)
    preprocessor(tmp_path, {"t1": [IMAGE] * 6}, sharpness_stride=3).run()
    assert made_at(tmp_path) == before
    assert frames(tmp_path)["sharpness_p"].is_nan().to_list() == [False, True, True] * 2


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


def test_a_wrong_folder_leaves_no_store(tmp_path: Path) -> None:
    @dataclass(frozen=True)
    class WrongFolder(FakeLamReader):
        def groups(self) -> list[str]:
            raise ValueError("no clips there")

    wrong = preprocessor(tmp_path / "store", reader=WrongFolder({}))
    with pytest.raises(ValueError, match="no clips there"):
        wrong.run()
    assert not (tmp_path / "store").exists()


def test_what_makes_no_sense_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="sharpness_stride is 0"):
        preprocessor(tmp_path, sharpness_stride=0)
    with pytest.raises(ValueError, match="expected i/n"):
        preprocessor(tmp_path, shard="2/2")
    with pytest.raises(ValueError, match="mode=export writes FLAME's folder layout"):
        preprocessor(tmp_path).export(tmp_path / "out")


WITHOUT_TORCH = """
import sys
import gazepose.preprocess, gazepose.ego4d, gazepose.own_videos, gazepose.face_imgs
import gazepose.videos_challenge, common.preprocessing
heavy = {"torch", "torchvision", "torchmetrics", "pytorch_lightning", "mediapipe", "scipy"}
print(sorted(heavy.intersection(sys.modules)))
"""


def test_preprocessing_imports_no_torch() -> None:
    """Each spawned worker would spend seconds on it."""
    command = [sys.executable, "-c", WITHOUT_TORCH]
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
