"""ONNX files by anybody: what they say is data, and what they hold runs nothing else."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper

from common.onnx.net import OnnxNet

GOOD = {
    **{"format": "gaze-suite 1", "model": "flame", "line": "gaze_angle"},
    "training_data": '{"name": "mine", "recipe": {"head_pose": "mesh"}}',
    "annotator": '{"box_margin": 0.05, "analyzer": {"detector": "mediapipe"}}',
}


def model(*nodes: Any, weights: Any = (), **texts: Any) -> Any:
    """A net that adds one to its input (any, 2), with other nodes if they are given."""
    one = onnx.numpy_helper.from_array(np.ones(1, np.float32), "one")
    sides = [
        helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["batch", 2])
        for name in ("x", "y")
    ]
    graph = helper.make_graph(
        nodes or [helper.make_node("Add", ["x", "one"], ["y"])],
        *("small", sides[:1], sides[1:], [*(weights or [one])]),
    )
    built = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    helper.set_model_props(built, {key: str(text) for key, text in (GOOD | texts).items() if text})
    return built


def opened(built: Any, folder: Path) -> OnnxNet:
    path = folder / "net.onnx"
    path.write_bytes(built if isinstance(built, bytes) else built.SerializeToString())
    return OnnxNet(path)


def test_a_net_takes_arrays_by_name_and_says_what_it_is(tmp_path: Path) -> None:
    net = opened(model(), tmp_path)
    (found,) = net({"x": np.zeros((3, 2), np.float32), "other": np.zeros(1)}).values()
    np.testing.assert_array_equal(found, np.ones((3, 2)))
    assert net.shapes == {"x": (None, 2)}
    assert net.metadata["training_data"]["recipe"] == {"head_pose": "mesh"}
    assert net.metadata["commit"] is None
    with pytest.raises(ValueError, match=r"net\.onnx.*x"):
        net({"x": np.zeros((3, 4), np.float32)})
    with pytest.raises(ValueError, match=r"net\.onnx"):
        net({})
    with pytest.raises(ValueError, match=r"takes x \(any, 2\), expected z \(any, 3\)"):
        net.check_inputs({"z": (None, 3)})


@pytest.mark.parametrize(
    ("name", "x", "said"),
    [
        ("y", [1.0, np.nan], r"net\.onnx: its y holds nan, expected finite"),
        ("y", [1.0, 2.0, 3.0, 4.0], r"net\.onnx: its y is float32 \(2, 2\), expected.*\(1, 2\)"),
        ("z", [1.0, 2.0], r"net\.onnx: its z is no array, expected float32 \(1, 2\)"),
    ],
    ids=["no number", "other shape", "other name"],
)
def test_an_output_that_is_not_what_it_must_be_is_refused(
    name: str, x: list[float], said: str, tmp_path: Path
) -> None:
    net = opened(model(), tmp_path)
    given = np.array(x, np.float32).reshape(-1, 2)
    zeros = np.zeros((1, 2), np.float32)
    np.testing.assert_array_equal(net.numbers("y", (1, 2), {"x": zeros}), [[1, 1]])
    with pytest.raises(ValueError, match=f"(?s){said}"):
        net.numbers(name, (1, 2), {"x": given})


def outside(location: str) -> Callable[[Path], Any]:
    """Weights that lie in another file, which is there."""

    def built(folder: Path) -> Any:
        (folder / "weights").write_bytes(np.ones(1, np.float32).tobytes())
        tensor = onnx.TensorProto(name="one", data_type=onnx.TensorProto.FLOAT, dims=[1])
        tensor.data_location = onnx.TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value=location.format(folder=folder))
        return model(weights=[tensor])

    return built


def constant_outside(folder: Path) -> Any:
    tensor = outside("weights")(folder).graph.initializer[0]
    value = helper.make_node("Constant", [], ["two"], value=tensor)
    return model(value, helper.make_node("Add", ["x", "two"], ["y"]))


def of_others(folder: Path) -> Any:
    return model(helper.make_node("EPContext", ["x"], ["y"], domain="com.microsoft"))


def endless(folder: Path) -> Any:
    empty = helper.make_graph([], "body", [], [])
    return model(helper.make_node("Loop", ["", "", "x"], ["y"], body=empty))


def with_functions(folder: Path) -> Any:
    built = model()
    imports = [helper.make_opsetid("", 18)]
    node = helper.make_node("Identity", ["a"], ["b"])
    built.functions.append(helper.make_function("", "Add2", ["a"], ["b"], [node], imports))
    return built


def sparse(folder: Path) -> Any:
    built = model()
    built.graph.sparse_initializer.add()
    return built


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (outside("weights"), "weights in other files"),
        (outside("../weights"), "weights in other files"),
        (outside("{folder}/weights"), "weights in other files"),
        (constant_outside, "weights in other files"),
        (of_others, r"operators of 'com\.microsoft'"),
        (endless, "a graph within Loop"),
        (with_functions, "functions of its own"),
        (sparse, "sparse weights"),
    ],
    ids=["beside", "above", "absolute", "constant", "operator", "loop", "function", "sparse"],
)
def test_what_could_reach_beyond_the_file_is_refused(
    make: Callable[[Path], Any], named: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=rf"(?s)net\.onnx.*anybody.*{named}"):
        opened(make(tmp_path), tmp_path)


@pytest.mark.parametrize(
    "content",
    [b"", b"no net", b"\x08\x0a\x12\x04ORTM", model().SerializeToString()[:60]],
    ids=["empty", "text", "other format", "cut"],
)
def test_what_is_no_net_is_refused(content: bytes, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"net\.onnx"):
        opened(content, tmp_path)
    with pytest.raises(ValueError, match=r"none\.onnx.*export=FILE\.onnx"):
        OnnxNet(tmp_path / "none.onnx")


def test_a_net_of_others_is_refused(tmp_path: Path) -> None:
    built = model()
    built.ClearField("metadata_props")
    with pytest.raises(ValueError, match=r"net\.onnx.*export=FILE\.onnx"):
        opened(built, tmp_path)


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"format": "gaze-suite 9"}, "format.*gaze-suite 1"),
        ({"line": "../../elsewhere"}, "line"),
        ({"model": "a/b"}, "model"),
        ({"training_data": None}, "training_data"),
        ({"training_data": "no json"}, "training_data"),
        ({"training_data": '{"name": "mine", "recipe": 3}'}, "recipe"),
        ({"annotator": "5"}, "annotator.*settings by name"),
        ({"annotator": '{"_target_": "os.system"}'}, "annotator"),
        ({"annotator": '{"analyzer": {"_target_": "os.system", "command": "x"}}'}, "annotator"),
        ({"annotator": '{"box_margin": 1e9}'}, "annotator"),
        ({"annotator": '{"box_margin": NaN}'}, "annotator"),
        ({"annotator": '{"trained_store_dir": "/etc"}'}, "annotator"),
        ({"annotator": '{"name": "${oc.env:HOME}"}'}, "annotator"),
        ({"annotator": json.dumps(dict.fromkeys((f"k{i}" for i in range(99)), 1))}, "annotator"),
        ({"annotator": '{"a":' * 9 + "1" + "}" * 9}, "annotator"),
        ({"annotator": '{"a":' * 9999 + "1" + "}" * 9999}, "annotator"),
        ({"licence": "x" * (1 << 20)}, "longer"),
    ],
)
def test_what_a_file_says_has_bounds(changed: dict[str, Any], named: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=rf"(?s)net\.onnx.*{named}"):
        opened(model(**changed), tmp_path)


def test_texts_of_other_tools_are_left_alone(tmp_path: Path) -> None:
    net = opened(model(**{"onnx.infer": "some tool"}), tmp_path)
    assert net.metadata["onnx.infer"] == "some tool"
