"""A MediaPipe graph lives as long as the object that built it."""

import pickle
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from common.faces.mediapipe import graph as mediapipe_graph
from common.faces.mediapipe.graph import MediaPipeGraph

IMAGE = np.zeros((8, 8, 3), np.uint8)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What happened to graphs, which find nothing."""
    happened: list[str] = []

    class FaceMesh:
        def __init__(self, **_options: Any) -> None:
            happened.append("built")

        def process(self, _image: np.ndarray) -> Any:
            return SimpleNamespace(multi_face_landmarks=None)

        def close(self) -> None:
            happened.append("closed")

    module = SimpleNamespace(FaceMesh=FaceMesh)
    monkeypatch.setattr(mediapipe_graph, "import_module", lambda _name: module)
    return happened


def test_a_graph_is_built_once_and_closed_when_nobody_holds_it(told: list[str]) -> None:
    graph = MediaPipeGraph("FaceMesh")
    assert told == []
    assert graph.find(IMAGE) == graph.find(IMAGE) == []
    assert told == ["built"]
    del graph
    assert told == ["built", "closed"]


def test_a_pickled_graph_is_another_one(told: list[str]) -> None:
    graph = MediaPipeGraph("FaceMesh")
    graph.build()
    other = pickle.loads(pickle.dumps(graph))
    other.build()
    del graph
    assert told == ["built", "built", "closed"]
    assert other.find(IMAGE) == []
