"""Many groups over processes, with a bar that moves by the item."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Any, Protocol

from tqdm import tqdm

from common.skipped import explained

_POLL_S = 0.5
# In a worker: how many items of each group are done.
_SHARED: dict[str, Any] = {}


class GroupMaker(Protocol):
    """Makes groups of a store; small enough to pickle."""

    def count(self, group: str) -> int:
        """Return how many items `make` goes through.

        Raises:
            ValueError: If the group's raw data are damaged.
            OSError: If they cannot be read.
        """

    def make(self, group: str, on_item: Callable[[], object]) -> str | None:
        """Write one group; call `on_item` after every item.

        Returns:
            Why it failed, or None; then the group is there.
        """


def make_groups(
    maker: GroupMaker, groups: list[str], num_workers: int, *, unit: str
) -> Iterator[tuple[str, str | None]]:
    """Make groups, whatever becomes of the others.

    Args:
        maker: makes one.
        groups: which.
        num_workers: processes; 0 works in this one.
        unit: what an item is, for the bar.

    Yields:
        Each group with why it failed, or None, in the order they are done.
    """
    num_items = sum(_count(maker, group) for group in groups)
    with tqdm(total=num_items, unit=unit, desc="preprocess") as bar:
        if num_workers == 0 or len(groups) < 2:
            yield from ((group, maker.make(group, bar.update)) for group in groups)
        else:
            yield from _in_processes(maker, groups, min(num_workers, len(groups)), bar)


def _count(maker: GroupMaker, group: str) -> int:
    try:
        return maker.count(group)
    except (ValueError, OSError):
        return 0  # making the group will say what is wrong


def _in_processes(
    maker: GroupMaker, groups: list[str], num_workers: int, bar: Any
) -> Iterator[tuple[str, str | None]]:
    # MediaPipe hangs in a forked child.
    context = multiprocessing.get_context("spawn")
    # A group is made by one process, so its number needs no lock, which a killed one would keep.
    num_done = context.RawArray("q", len(groups))
    with ProcessPoolExecutor(
        num_workers, mp_context=context, initializer=_share, initargs=(num_done,)
    ) as pool:
        jobs = {
            pool.submit(_make_in_worker, maker, group, number): group
            for number, group in enumerate(groups)
        }
        try:
            for job in _as_completed(set(jobs), lambda: bar.update(sum(num_done) - bar.n)):
                yield jobs[job], _outcome(job)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _as_completed(
    pending: set[Future[str | None]], on_poll: Callable[[], object]
) -> Iterator[Future[str | None]]:
    while pending:
        done, pending = wait(pending, timeout=_POLL_S, return_when=FIRST_COMPLETED)
        on_poll()
        yield from done


def _outcome(job: Future[str | None]) -> str | None:
    try:
        return job.result()
    except BrokenProcessPool:
        return "a worker process died, perhaps for want of memory; run again with num_workers=1"
    except Exception as error:
        return explained(error)


def _share(num_done: Any) -> None:
    _SHARED["num_done"] = num_done


def _make_in_worker(maker: GroupMaker, group: str, number: int) -> str | None:
    def count_item() -> None:
        _SHARED["num_done"][number] += 1

    return maker.make(group, count_item)
