"""A net of MediaPipe that is built where it is used."""

import signal
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import numpy as np

from common.arrays import Float, Image
from common.faces.mediapipe.native_stderr import silence_native_stderr


class Net(Protocol):
    """What one release of MediaPipe runs; only options, so that it can be pickled."""

    def build(self) -> Any:
        """Return what `run` needs, with a method ``close``."""

    def run(self, built: Any, image: Image) -> list[Float]:
        """Return what is found in an image (H, W, 3) RGB, an array each."""


class MediaPipeGraph:
    """One of MediaPipe's nets, built lazily in the process that runs it.

    MediaPipe hangs in a forked child once the parent has run it, and its graphs cannot be
    pickled. This object can: it carries only the options, and every process (spawned, never
    forked) builds its own graph on first use, in silence.
    """

    def __init__(self, net: Net) -> None:
        self._net = net
        self._graph: Any = None
        self._has_found = False

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_graph": None, "_has_found": False}

    def build(self) -> None:
        """Build the graph; does nothing the second time."""
        if self._graph is not None:
            return
        with silence_native_stderr(), _kept_from_profiling():
            self._graph = self._net.build()
            # At exit the process closes it, and a graph may wait for threads that are gone.
            weakref.finalize(self, _close, self._graph.close).atexit = False
            # Nor may its destructor at exit: what that calls is gone by then, and it says so.
            self._graph.close = _nothing
            self._net.run(self._graph, np.zeros((64, 64, 3), np.uint8))

    def find(self, image: Image) -> list[Float]:
        """Run the graph on an image (H, W, 3) RGB.

        Returns:
            What it finds, an array each as its net says; empty if it finds nothing.
        """
        self.build()
        image = np.ascontiguousarray(image)
        if self._has_found:
            with _kept_from_profiling():
                return self._net.run(self._graph, image)
        # The nodes behind the first detector write their own line when they first run.
        with silence_native_stderr(), _kept_from_profiling():
            found = self._net.run(self._graph, image)
        self._has_found = bool(found)
        return found


@contextmanager
def _kept_from_profiling() -> Iterator[None]:
    """Have the threads that begin in the block get no SIGPROF.

    Timers of MediaPipe 1.2 send it to its own threads, and it has the process ignore it. A
    `Trainer` gives every signal the handler back that Python knows of when it ends: of this one
    none, and then it would end the process.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGPROF})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _close(close: Callable[[], object]) -> None:
    with silence_native_stderr(), _kept_from_profiling():
        close()


def _nothing() -> None:
    pass
