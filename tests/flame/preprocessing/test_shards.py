"""Shards and processes: together they make what one run in this process makes."""

from pathlib import Path

import pytest
from builders.preprocessed_people import PEOPLE, assert_same, preprocessor

from common.preprocessing.share import parse_shard
from common.store.reading import stored_groups


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
