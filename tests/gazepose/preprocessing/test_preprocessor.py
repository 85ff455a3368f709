"""Preprocessing of clips: one table with its images, the same by shards and processes."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from builders.fake_lam import IMAGE, image_file, raw_face
from builders.preprocessed_clips import assert_same, frames, made_at, preprocessor

from common.store.reading import FaceStore
from gazepose.readers.sample import RawFace, RawReader

NUM_ROWS = {"t1": 4, "t2": 2, "t3": 0, "v1": 2, "v2": 2}


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


def test_a_second_run_makes_nothing_anew(tmp_path: Path) -> None:
    preprocessor(tmp_path).run()
    before = made_at(tmp_path)
    preprocessor(tmp_path).run()
    assert made_at(tmp_path) == before


def test_processes_make_what_this_one_makes(tmp_path: Path) -> None:
    preprocessor(tmp_path / "here").run()
    preprocessor(tmp_path / "there", num_workers=2).run()
    assert_same(tmp_path / "here", tmp_path / "there")


def test_shards_together_equal_the_whole(tmp_path: Path) -> None:
    preprocessor(tmp_path / "whole").run()
    for shard in ("1/2", "0/2"):
        preprocessor(tmp_path / "shards", shard=shard).run()
    assert_same(tmp_path / "shards", tmp_path / "whole")


def test_another_stride_ranks_anew_without_making_anything(tmp_path: Path) -> None:
    preprocessor(tmp_path, {"t1": [IMAGE] * 6}).run()
    before = made_at(tmp_path)
    preprocessor(tmp_path, {"t1": [IMAGE] * 6}, sharpness_stride=3).run()
    assert made_at(tmp_path) == before
    assert frames(tmp_path)["sharpness_p"].is_nan().to_list() == [False, True, True] * 2


class PlainReader(RawReader):
    """Has what a reader must have."""

    name = "plain"

    def groups(self) -> list[str]:
        return ["t1"]

    def count(self, group: str) -> int:
        return 2

    def read(self, group: str) -> Iterator[RawFace]:
        yield from (raw_face(group, index, image_file(index)) for index in range(2))


def test_a_reader_needs_options_fingerprints_and_a_doctor_only_where_it_has_them(
    tmp_path: Path,
) -> None:
    for _ in range(2):
        assert not preprocessor(tmp_path, reader=PlainReader()).run().has_errors
    assert not preprocessor(tmp_path, reader=PlainReader()).check().has_errors
    assert frames(tmp_path)["num_bytes"].gt(0).to_list() == [True, True]


WITHOUT_TORCH = """
import sys
import gazepose.preprocessing.preprocessor, gazepose.readers.ego4d.reader
import gazepose.readers.own_videos, gazepose.readers.face_imgs.reader
import gazepose.readers.videos_challenge, common.preprocessing.command
heavy = {"torch", "torchvision", "torchmetrics", "pytorch_lightning", "mediapipe", "scipy"}
print(sorted(heavy.intersection(sys.modules)))
"""


def test_preprocessing_imports_no_torch() -> None:
    """Each spawned worker would spend seconds on it."""
    command = [sys.executable, "-c", WITHOUT_TORCH]
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
