"""Many groups over processes, with a bar that moves by the photo."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from tqdm import tqdm

from flame.preprocess_group import GroupRecipe, explained, make_group
from flame.sample import RawReader

_POLL_S = 0.5
# In a worker: how many items of each group are done.
_SHARED: dict[str, Any] = {}


def make_groups(
    recipe: GroupRecipe, groups: list[str], num_workers: int
) -> Iterator[tuple[str, str | None]]:
    """Make groups, whatever becomes of the others.

    Args:
        recipe: what to make.
        groups: which.
        num_workers: processes; 0 works in this one.

    Yields:
        Each group with why it failed, or None, in the order they are done.
    """
    num_items = sum(_count(recipe.reader, group) for group in groups)
    with tqdm(total=num_items, unit="photo", desc="preprocess") as bar:
        if num_workers == 0 or len(groups) < 2:
            yield from ((group, make_group(recipe, group, bar.update)) for group in groups)
        else:
            yield from _in_processes(recipe, groups, min(num_workers, len(groups)), bar)


def _count(reader: RawReader, group: str) -> int:
    try:
        return reader.count(group)
    except (ValueError, OSError):
        return 0  # reading the group will say what is wrong


def _in_processes(
    recipe: GroupRecipe, groups: list[str], num_workers: int, bar: Any
) -> Iterator[tuple[str, str | None]]:
    # MediaPipe hangs in a forked child.
    context = multiprocessing.get_context("spawn")
    # A group is made by one process, so its number needs no lock, which a killed one would keep.
    num_done = context.RawArray("q", len(groups))
    with ProcessPoolExecutor(
        num_workers, mp_context=context, initializer=_share, initargs=(num_done,)
    ) as pool:
        jobs = {
            pool.submit(_make_in_worker, recipe, group, number): group
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


def _make_in_worker(recipe: GroupRecipe, group: str, number: int) -> str | None:
    def count_item() -> None:
        _SHARED["num_done"][number] += 1

    return make_group(recipe, group, count_item)
