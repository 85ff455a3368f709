"""Two who make one store at once: each group is made by one of them, and both end well."""

import multiprocessing
import re
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from builders.counting_maker import (
    GROUPS,
    CountingReader,
    counting_share,
    make_store,
    times_made,
)

from common.preprocessing.check import check_store
from common.preprocessing.findings import Finding
from common.preprocessing.share import Share, changed_groups, make_share, parse_shard
from common.store.damage import damaged_groups
from common.store.reading import FaceStore, GroupPaths, read_failures, stored_groups


def make_twice_at_once(folder: Path, num_workers: int = 0, *, repairs: bool = False) -> None:
    context = multiprocessing.get_context("spawn")
    arguments = (folder, context.Barrier(2), num_workers, repairs)
    makers = [context.Process(target=make_store, args=arguments) for _ in range(2)]
    for maker in makers:
        maker.start()
    for maker in makers:
        maker.join()
    assert [maker.exitcode for maker in makers] == [0, 0]


@pytest.mark.parametrize("num_workers", [0, pytest.param(2, marks=pytest.mark.slow)])
def test_each_group_is_made_once(tmp_path: Path, num_workers: int) -> None:
    make_twice_at_once(tmp_path, num_workers)
    store_dir = tmp_path / "store"
    assert times_made(tmp_path) == GROUPS
    assert stored_groups(store_dir) == GROUPS
    assert (damaged_groups(store_dir), read_failures(store_dir)) == ([], {})
    assert len(FaceStore(store_dir)) == len(GROUPS)
    hidden = [path for path in store_dir.rglob("*") if path.name.startswith(".")]
    assert hidden == []


def test_a_damaged_group_is_repaired_once(tmp_path: Path) -> None:
    make_share(counting_share(tmp_path), 0, unit="item", repairs=False)
    GroupPaths(tmp_path / "store", "b").pack.write_bytes(b"torn")
    make_twice_at_once(tmp_path, repairs=True)
    assert times_made(tmp_path) == sorted([*GROUPS, "b"])
    assert damaged_groups(tmp_path / "store") == []


def test_a_group_that_cannot_be_locked_fails_alone(tmp_path: Path) -> None:
    share = counting_share(tmp_path)
    GroupPaths(share.store_dir, "b").lock.mkdir(parents=True)
    make_share(share, 0, unit="item", repairs=False)
    assert stored_groups(share.store_dir) == ["a", "c", "d"]
    assert list(read_failures(share.store_dir)) == ["b"]


def test_a_store_from_before_tables_had_checksums_is_read_and_a_check_says_so(
    tmp_path: Path,
) -> None:
    share = counting_share(tmp_path)
    make_share(share, 0, unit="item", repairs=False)
    assert "checksums" not in check_store(share.recipe, (0, 1)).summary()
    for group in ("a", "c"):
        path = GroupPaths(share.store_dir, group).table
        pl.read_parquet(path).write_parquet(path)
    assert len(FaceStore(share.store_dir)) == len(GROUPS)
    assert damaged_groups(share.store_dir) == []
    report = check_store(share.recipe, (0, 1))
    assert not report.has_errors
    assert re.search("2 groups .*checksums: a, c", report.summary())


def test_a_group_whose_raw_data_can_no_longer_be_read_counts_as_changed(tmp_path: Path) -> None:
    class Unreadable(CountingReader):
        def fingerprint(self, group: str) -> str:
            if group == "b":
                raise OSError("the drive is gone")
            return super().fingerprint(group)

    share = counting_share(tmp_path)
    make_share(share, 0, unit="item", repairs=False)
    assert changed_groups(share) == []
    recipe = replace(share.recipe, reader=Unreadable(tmp_path / "counted"))
    assert changed_groups(Share(recipe, (0, 1))) == ["b"]


def test_what_the_raw_data_s_findings_say_is_not_said_again(tmp_path: Path) -> None:
    class NoFolder(CountingReader):
        def groups(self) -> list[str]:
            raise ValueError("no folder x")

    recipe = replace(counting_share(tmp_path).recipe, reader=NoFolder(tmp_path))
    report = check_store(recipe, (0, 1), [Finding("error", "no folder x", "x")])
    assert [found.where for found in report.findings if found.severity == "error"] == ["x"]
    assert report.has_errors
    (error, _) = sorted(check_store(recipe, (0, 1)).findings, key=lambda found: found.severity)
    assert error.what == "no folder x"


def test_a_check_makes_no_store(tmp_path: Path) -> None:
    report = check_store(counting_share(tmp_path).recipe, (0, 1))
    assert (report.missing, report.has_errors) == (GROUPS, False)
    assert "no store yet" in report.summary()
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize("shard", ["", "1", "2/2", "-1/2", "1/2/3"])
def test_a_malformed_shard_is_refused(shard: str) -> None:
    with pytest.raises(ValueError, match=rf"{shard!r}.*i/n"):
        parse_shard(shard)
