"""Groups over processes: a process that dies costs the group that killed it, and no other."""

from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from builders.deadly_maker import DeadlyMaker, RememberingMaker, Unloadable
from builders.recorded_bars import recorded_bars

from common.preprocessing import pool as preprocess_pool
from common.preprocessing.pool import make_groups


@pytest.mark.parametrize("num_workers", [1, 2])
def test_only_the_group_that_kills_its_process_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, num_workers: int
) -> None:
    bars = recorded_bars(monkeypatch)
    groups = ["a", "bad", "c", "d", "e"]
    maker = DeadlyMaker(tmp_path, ("bad",))
    outcomes = list(make_groups(maker, groups, num_workers, unit="item"))
    assert sorted(group for group, _ in outcomes) == groups
    failed = {group: why for group, why in outcomes if why is not None}
    assert list(failed) == ["bad"]
    assert "died" in failed["bad"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "c", "d", "e"]
    # Of the deadly group one item was done, however often it was tried.
    assert (bars[0].total, bars[0].n) == (15, 13)


@pytest.mark.parametrize("num_workers", [0, 1])
def test_a_process_keeps_its_maker_and_what_that_has_built(
    tmp_path: Path, num_workers: int
) -> None:
    groups = ["a", "b", "c", "d"]
    assert all(
        why is None
        for _, why in make_groups(RememberingMaker(tmp_path, ()), groups, num_workers, unit="item")
    )
    assert [(tmp_path / group).read_text() for group in groups] == ["0", "1", "2", "3"]


def test_processes_that_cannot_even_begin_come_to_an_end_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pools: list[int] = []

    class CountedPool(ProcessPoolExecutor):
        def __init__(self, max_workers: int, **settings: Any) -> None:
            super().__init__(max_workers, **settings)
            pools.append(max_workers)

    monkeypatch.setattr(preprocess_pool, "ProcessPoolExecutor", CountedPool)
    groups = ["a", "b", "c", "d", "e"]
    maker = Unloadable(tmp_path, ())
    outcomes = list(make_groups(maker, groups, 2, unit="item"))
    assert sorted(group for group, _ in outcomes) == groups
    assert all("num_workers=0" in str(why) for _, why in outcomes)
    # All together, and the first one alone to be sure.
    assert pools == [2, 1]
