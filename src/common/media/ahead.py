"""Work of a later stage while the stage before is at its next items, in a thread of its own."""

import threading
from collections.abc import Iterable, Iterator
from queue import Full, Queue
from typing import Any, TypeVar

Item = TypeVar("Item")
# How soon a thread sees that nobody wants more.
_PATIENCE_S = 0.1


def made_ahead(items: Iterable[Item], most: int = 4) -> Iterator[Item]:
    """Yield items that a thread makes meanwhile, at most so many ahead.

    Decoders, encoders, OpenCV, MediaPipe and torch let other threads run while they compute. What
    `items` raises is raised here, behind the items before it. Whoever stops early ends the thread,
    and closes `items` if they are a generator.
    """
    ready: Queue[tuple[bool, Any]] = Queue(most)
    is_unwanted = threading.Event()
    maker = threading.Thread(target=_make, args=(items, ready, is_unwanted), daemon=True)
    maker.start()
    try:
        while True:
            is_last, item = ready.get()
            if not is_last:
                yield item
            elif item is None:
                return
            else:
                raise item
    finally:
        is_unwanted.set()
        maker.join()


def _make(
    items: Iterable[Any], ready: Queue[tuple[bool, Any]], is_unwanted: threading.Event
) -> None:
    end: BaseException | None = None
    try:
        for item in items:
            if not _put((False, item), ready, is_unwanted):
                break
    # Whatever it is, it belongs to whoever wanted the items.
    except BaseException as error:
        end = error
    finally:
        close = getattr(items, "close", None)
        if close is not None:
            close()
    _put((True, end), ready, is_unwanted)


def _put(
    item: tuple[bool, Any], ready: Queue[tuple[bool, Any]], is_unwanted: threading.Event
) -> bool:
    """Return whether an item found its place before nobody wanted it any more."""
    while not is_unwanted.is_set():
        try:
            ready.put(item, timeout=_PATIENCE_S)
        except Full:
            continue
        return True
    return False
