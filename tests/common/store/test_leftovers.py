"""What a killed or failing writer leaves of a group, and who removes it."""

import os
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from builders.file_contents import contents, no_space
from builders.seeded_store import image, write_group

from common.media.image_codec import encode_image
from common.store.damage import damaged_groups
from common.store.reading import FaceStore, read_made_from
from common.store.writing import GroupWriter, worked_at


def test_what_killed_processes_left_goes_when_nobody_else_is_at_work(store_dir: Path) -> None:
    before = contents(store_dir)
    left = ["packs/.a.1.4711.pack", "tables/.a.4711.parquet", "skipped/.a.4711.json"]
    left += [".frames.4711.parquet", "packs/.a.lock", ".claim.lock"]
    with worked_at(store_dir):
        for name in left:
            (store_dir / name).parent.mkdir(exist_ok=True)
            (store_dir / name).write_bytes(b"half")
        # The other one makes these now.
        with worked_at(store_dir):
            assert all((store_dir / name).exists() for name in left)
    with worked_at(store_dir):
        assert not any((store_dir / name).exists() for name in left)
    assert contents(store_dir) == before


@pytest.mark.parametrize(("owner", "name"), [(os, "fsync"), (pl.DataFrame, "write_parquet")])
def test_a_full_disk_leaves_the_old_group_and_no_file(
    store_dir: Path, monkeypatch: pytest.MonkeyPatch, owner: Any, name: str
) -> None:
    before = contents(store_dir)
    monkeypatch.setattr(owner, name, no_space)
    with pytest.raises(OSError, match="No space left"):
        write_group(store_dir, "b", [9])
    assert contents(store_dir) == before
    assert damaged_groups(store_dir) == []


def test_an_error_leaves_the_old_group_as_it_was(store_dir: Path) -> None:
    before = contents(store_dir)

    def cut_short() -> None:
        with GroupWriter(store_dir, "b") as writer:
            writer.add(encode_image(image(9), "png", 0), {"seed": 9})
            raise ValueError("torn video")

    with pytest.raises(ValueError, match="torn video"):
        cut_short()
    assert contents(store_dir) == before
    assert FaceStore(store_dir).table["seed"].to_list() == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("group", ["clips/aaa", ".aaa", ""])
def test_a_name_that_no_file_can_have_is_refused(tmp_path: Path, group: str) -> None:
    with pytest.raises(ValueError, match=rf"'{group}'"):
        GroupWriter(tmp_path, group)


@pytest.mark.parametrize("seeds", [[6], []])
def test_a_group_says_what_it_was_made_from(store_dir: Path, seeds: list[int]) -> None:
    with GroupWriter(store_dir, "c", made_from="train 12 ä") as writer:
        for seed in seeds:
            writer.add(encode_image(image(seed), "png", 0), {"seed": seed})
    assert read_made_from(store_dir, "c") == "train 12 ä"
    assert read_made_from(store_dir, "b") is None
    (store_dir / "tables" / "c.parquet").write_bytes(b"torn")
    assert read_made_from(store_dir, "c") is None
