"""Many groups over processes, with a bar that moves by the item."""

import multiprocessing
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Any, Protocol

from tqdm import tqdm

from common.store.skipped import explained

_POLL_S = 0.5
_DIED = "a worker process died over this group alone, perhaps for want of memory"
_CANNOT_START = "worker processes cannot start; try num_workers=0"
# In a worker: its maker, and how many items of each group are done.
_SHARED: dict[str, Any] = {}


class GroupMaker(Protocol):
    """Makes groups of a store; small enough to pickle, see `common.preprocessing.recipe`."""

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
    """Make groups in so many processes (0: in this one), whatever becomes of the others.

    A process that dies, as the kernel kills one for want of memory, takes the other processes'
    groups with it: these are made again, one at a time, and only the one that dies alone failed.
    If even a lone process dies before it begins, none of the groups left is tried.

    Yields:
        Each group with why it failed, or None, in the order they are done.
    """
    num_items = sum(_count(maker, group) for group in groups)
    with tqdm(total=num_items, unit=unit, desc="preprocess") as bar:
        if num_workers == 0:
            yield from ((group, maker.make(group, bar.update)) for group in groups)
        else:
            yield from _Processes(maker, groups, bar).make_all(num_workers)


def _count(maker: GroupMaker, group: str) -> int:
    try:
        return maker.count(group)
    except (ValueError, OSError):
        return 0  # making the group will say what is wrong


class _Processes:
    """Makes groups in processes, and in new ones where a process died."""

    def __init__(self, maker: GroupMaker, groups: list[str], bar: Any) -> None:
        self._maker = maker
        self._groups = groups
        self._bar = bar
        # MediaPipe hangs in a forked child.
        self._context = multiprocessing.get_context("spawn")
        # How many items of each group are done; -1: not begun. A group is made by one process at a
        # time, so its number needs no lock, which a killed one would keep.
        self._num_done = self._context.RawArray("q", [-1] * len(groups))

    def make_all(self, num_workers: int) -> Iterator[tuple[str, str | None]]:
        waiting = list(range(len(self._groups)))
        while waiting:
            were_alone = min(num_workers, len(waiting)) == 1
            lost = yield from self._make(waiting, num_workers)
            begun = [number for number in lost if self._num_done[number] >= 0]
            # If a process died before it began any, the first has to show why.
            suspects = begun or lost[:1]
            waiting = [number for number in lost if number not in suspects]
            for number in suspects:
                is_lost = (begun and were_alone) or (yield from self._make([number], 1))
                if is_lost and self._num_done[number] < 0:
                    yield from ((self._groups[n], _CANNOT_START) for n in [number, *waiting])
                    return
                if is_lost:
                    yield self._groups[number], _DIED

    def _make(
        self, numbers: list[int], num_workers: int
    ) -> Generator[tuple[str, str | None], None, list[int]]:
        """Make groups by their numbers; return those that were lost when a process died."""
        lost = []
        with ProcessPoolExecutor(
            min(num_workers, len(numbers)),
            mp_context=self._context,
            initializer=_share,
            initargs=(self._maker, self._num_done),
        ) as pool:
            jobs = self._submitted(pool, numbers)
            try:
                for job in _as_completed(set(jobs), self._move_bar):
                    error = job.exception()
                    if isinstance(error, BrokenProcessPool):
                        lost.append(jobs[job])
                    elif isinstance(error, Exception):
                        yield self._groups[jobs[job]], explained(error)
                    else:
                        yield self._groups[jobs[job]], job.result()
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        return sorted(lost)

    def _submitted(
        self, pool: ProcessPoolExecutor, numbers: list[int]
    ) -> dict[Future[str | None], int]:
        jobs: dict[Future[str | None], int] = {}
        for number in numbers:
            try:
                job = pool.submit(_make_in_worker, self._groups[number], number)
            except BrokenProcessPool as error:  # it may break while it is still being filled
                job = Future()
                job.set_exception(error)
            jobs[job] = number
        return jobs

    def _move_bar(self) -> None:
        self._bar.update(sum(max(count, 0) for count in self._num_done) - self._bar.n)


def _as_completed(
    pending: set[Future[str | None]], on_poll: Callable[[], object]
) -> Iterator[Future[str | None]]:
    while pending:
        done, pending = wait(pending, timeout=_POLL_S, return_when=FIRST_COMPLETED)
        on_poll()
        yield from done


def _share(maker: GroupMaker, num_done: Any) -> None:
    _SHARED.update(maker=maker, num_done=num_done)


def _make_in_worker(group: str, number: int) -> str | None:
    maker: GroupMaker = _SHARED["maker"]
    _SHARED["num_done"][number] = 0

    def count_item() -> None:
        _SHARED["num_done"][number] += 1

    return maker.make(group, count_item)
