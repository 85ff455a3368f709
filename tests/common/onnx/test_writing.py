"""A file appears once it was opened and gave what PyTorch gives, or not at all."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from common.onnx.net import OnnxNet
from common.onnx.writing import Exportable, Port, write_onnx

SAID = {"model": "small", "line": "none", "training_data": {"name": "none", "recipe": {}}}


class Graph(nn.Module):
    """A function of x (B, 2) that may count its calls."""

    def __init__(self, function: Callable[[Tensor, int], Tensor]) -> None:
        super().__init__()
        self._function = function
        self._num_calls = 0

    def forward(self, x: Tensor) -> Tensor:
        self._num_calls += 1
        return self._function(x, self._num_calls)


def written(path: Path, function: Callable[[Tensor, int], Tensor]) -> float:
    inputs = {"x": Port("numbers (batch, 2)", "batch", torch.rand(3, 2))}
    outputs = {"y": Port("others (batch, 2)", "batch")}
    return write_onnx(path, Exportable(Graph(function), inputs, outputs, {"of": "me"}), SAID)


def test_a_file_says_what_it_takes_and_gives(tmp_path: Path) -> None:
    assert written(tmp_path / "net.onnx", lambda x, _: 2 * x) == 0
    net = OnnxNet(tmp_path / "net.onnx")
    assert net.metadata["inputs"] == {"x": "numbers (batch, 2)"}
    assert net.metadata["outputs"] == {"y": "others (batch, 2)"}
    assert net.metadata["of"] == "me"
    assert net({"x": np.ones((5, 2), np.float32)})["y"].sum() == 20


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (lambda x, num_calls: x + 1e-3 * num_calls, r"not written.*differ.*1e-04"),
        # Its length is that of the example.
        (lambda x, _: x + torch.zeros(len(x), 2), r"cannot be written as ONNX"),
    ],
    ids=["other numbers", "one length only"],
)
def test_what_is_not_the_net_is_not_written(
    function: Callable[[Tensor, int], Tensor], said: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=said):
        written(tmp_path / "net.onnx", function)
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_takes_no_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match=r"net\.onnx cannot be written"):
        written(tmp_path / "file" / "net.onnx", lambda x, _: 2 * x)
