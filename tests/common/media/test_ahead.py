"""What a thread makes ahead comes in order, with its errors, and ends when nobody wants more."""

import threading
from collections.abc import Iterator

import pytest

from common.media.ahead import made_ahead


def test_all_items_come_in_order() -> None:
    assert list(made_ahead(iter(range(100)), most=3)) == list(range(100))


def test_an_error_comes_behind_the_items_before_it() -> None:
    def failing() -> Iterator[int]:
        yield from (1, 2)
        raise RuntimeError("out of frames")

    found: list[int] = []
    with pytest.raises(RuntimeError, match="out of frames"):
        found.extend(made_ahead(made_ahead(failing())))
    assert found == [1, 2]


def test_no_more_than_asked_for_is_made_ahead() -> None:
    made = []

    def counted() -> Iterator[int]:
        for item in range(100):
            made.append(item)
            yield item

    items = made_ahead(counted(), most=2)
    next(items)
    items.close()
    # One was taken, two waited, one was about to.
    assert len(made) <= 5


def test_whoever_stops_early_ends_every_thread_and_closes_what_was_read() -> None:
    before, closed = threading.active_count(), []

    def endless() -> Iterator[int]:
        try:
            while True:
                yield 0
        finally:
            closed.append(True)

    items = made_ahead(made_ahead(made_ahead(endless())))
    next(items)
    assert threading.active_count() == before + 3
    items.close()
    assert threading.active_count() == before
    assert closed == [True]
