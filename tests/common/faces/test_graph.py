"""A MediaPipe graph lives as long as the object that built it."""

import pickle

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
