"""The list of a group's skipped items belongs to its table: both are replaced, or neither."""

from pathlib import Path

import polars as pl
import pytest
from builders.file_contents import no_space
from builders.seeded_store import write_group

from common.store.damage import damaged_groups
from common.store.reading import read_skipped
from common.store.skipped import Skipped
from common.store.writing import GroupWriter


def write_empty(store_dir: Path, sample_id: str) -> None:
    with GroupWriter(store_dir, "a") as writer:
        writer.skip(Skipped(sample_id, "s", "a", "no face found"))


def test_a_group_made_again_has_the_new_list(tmp_path: Path) -> None:
    write_empty(tmp_path, "old")
    write_empty(tmp_path, "new")
    expected = {"sample_id": "new", "subject": "s", "group": "a", "reason": "no face found"}
    assert read_skipped(tmp_path) == [expected]
    write_group(tmp_path, "a", [1])
    assert read_skipped(tmp_path) == []


def test_a_group_that_cannot_be_finished_keeps_its_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_empty(tmp_path, "old")
    monkeypatch.setattr(pl.DataFrame, "write_parquet", no_space)
    with pytest.raises(OSError, match="No space left"):
        write_empty(tmp_path, "new")
    assert [item["sample_id"] for item in read_skipped(tmp_path)] == ["old"]
    assert damaged_groups(tmp_path) == []


def test_what_is_there_is_replaced(tmp_path: Path) -> None:
    with GroupWriter(tmp_path, "a") as writer:
        assert not writer.replaces
    with GroupWriter(tmp_path, "a") as writer:
        assert writer.replaces
