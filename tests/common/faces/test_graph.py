"""A MediaPipe graph lives as long as the object that built it."""

import pickle
import signal
from threading import Thread

import numpy as np
import pytest

from common.faces.mediapipe.graph import MediaPipeGraph

IMAGE = np.zeros((8, 8, 3), np.uint8)
HAPPENED: list[str] = []


class Graph:
    """Tells of its end, as MediaPipe's own do once more when they are forgotten."""

    def close(self) -> None:
        HAPPENED.append("closed")

    def __del__(self) -> None:
        self.close()


class Net:
    """Finds nothing."""

    def build(self) -> Graph:
        HAPPENED.append("built")
        return Graph()

    def run(self, _built: Graph, _image: np.ndarray) -> list[np.ndarray]:
        return []


@pytest.fixture(autouse=True)
def _nothing_happened() -> None:
    HAPPENED.clear()


def test_a_graph_is_built_once_and_closed_once_when_nobody_holds_it() -> None:
    graph = MediaPipeGraph(Net())
    assert HAPPENED == []
    assert graph.find(IMAGE) == graph.find(IMAGE) == []
    assert HAPPENED == ["built"]
    del graph
    assert HAPPENED == ["built", "closed"]


def test_a_pickled_graph_is_another_one() -> None:
    graph = MediaPipeGraph(Net())
    graph.build()
    other = pickle.loads(pickle.dumps(graph))
    other.build()
    del graph
    assert HAPPENED == ["built", "built", "closed"]
    assert other.find(IMAGE) == []


class ThreadedNet(Net):
    """Begins a thread wherever it is called, and remembers which signals that does not get."""

    def __init__(self) -> None:
        self.blocked: list[set[int]] = []

    def build(self) -> Graph:
        self._begin()
        return ThreadedGraph(self)

    def run(self, built: Graph, image: np.ndarray) -> list[np.ndarray]:
        self._begin()
        return [image]

    def _begin(self) -> None:
        thread = Thread(target=lambda: self.blocked.append(blocked_signals()))
        thread.start()
        thread.join()


class ThreadedGraph(Graph):
    def __init__(self, net: ThreadedNet) -> None:
        self._net = net

    def close(self) -> None:
        self._net._begin()


def blocked_signals() -> set[int]:
    return signal.pthread_sigmask(signal.SIG_BLOCK, ())


def test_a_nets_threads_get_no_signals_of_its_profiling_timers() -> None:
    """MediaPipe's get them, and a Trainer makes them deadly; see `test_releases`, too."""
    net, before = ThreadedNet(), blocked_signals()
    graph = MediaPipeGraph(net)
    for _ in range(3):
        graph.find(IMAGE)
    assert blocked_signals() == before
    del graph
    assert net.blocked == [before | {signal.SIGPROF}] * 6
