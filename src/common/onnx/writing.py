"""A net of PyTorch -> an ONNX file that says what it takes and gives, checked before it counts."""

import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from common.config.optional_packages import optional
from common.files.atomic import partial_path
from common.onnx.metadata import FORMAT, to_texts
from common.onnx.net import NEEDED, OnnxNet

OPSET = 18
_TALKATIVE = ("torch.onnx", "onnxscript", "onnx_ir")
TOLERANCE = 1e-4
"""Of outputs (radians, probabilities) between PyTorch and ONNX Runtime."""


@dataclass(frozen=True)
class Port:
    """An input or output of an exported net.

    Attributes:
        what: in words, with unit and range.
        axis: name of its first axis, which is of any length.
        example: such a tensor; of an input only. Axes of other names have other lengths, none of
            them 0 or 1, which the exporter would take for fixed.
    """

    what: str
    axis: str
    example: Tensor | None = None


@dataclass(frozen=True)
class Exportable:
    """A net as one function of arrays, with what prepares them and what follows inside.

    Attributes:
        graph: called with a tensor an input, by name.
        inputs: by name.
        outputs: by name, in the order that the graph gives them.
        facts: what its line says of it in the file, beside what every net says.
        annotator: what is built to predict with it, as plain values; None if nothing is.
    """

    graph: nn.Module
    inputs: Mapping[str, Port]
    outputs: Mapping[str, Port]
    facts: Mapping[str, Any]
    annotator: Mapping[str, Any] | None = None


def write_onnx(path: Path, net: Exportable, metadata: Mapping[str, Any]) -> float:
    """Write a net as an ONNX file, whole or not at all, once it was opened and gave the same.

    Args:
        path: where to.
        net: in eval mode.
        metadata: what the file says beside what the net's ports and facts do.

    Returns:
        The largest difference of an output from PyTorch's, on the examples and on one of each.

    Raises:
        ValueError: If a package is missing, the net cannot be exported, a difference is larger than
            `TOLERANCE`, or the file cannot be written.
    """
    with torch.inference_mode():
        net.graph(**_examples(net))  # what a net keeps of its first call is no part of the graph
    model = _model(net)
    said = {
        **{"format": FORMAT, **metadata, **net.facts, "annotator": net.annotator},
        **{
            name: _said(ports) for name, ports in (("inputs", net.inputs), ("outputs", net.outputs))
        },
    }
    _describe(model, net, said)
    try:
        with partial_path(path) as partial:
            partial.write_bytes(model.SerializeToString())
            return _checked_difference(OnnxNet(partial), net, path)
    except OSError as error:
        raise ValueError(f"{path} cannot be written: {error.strerror}") from error


def _checked_difference(exported: OnnxNet, net: Exportable, path: Path) -> float:
    difference = largest_difference(exported, net)
    if not difference <= TOLERANCE:
        raise ValueError(
            f"{path} was not written: ONNX Runtime's outputs differ from PyTorch's by "
            f"{difference:.1e}, expected at most {TOLERANCE:.0e}"
        )
    return difference


@torch.inference_mode()
def largest_difference(exported: OnnxNet, net: Exportable) -> float:
    """Return by how much outputs differ at most, on a net's examples and on the first of each."""
    examples = _examples(net)
    differences = []
    for given in (examples, {name: value[:1] for name, value in examples.items()}):
        expected = net.graph(**given)
        expected = [expected] if isinstance(expected, Tensor) else expected
        found = exported({name: value.numpy() for name, value in given.items()})
        for name, value in zip(net.outputs, expected, strict=True):
            differences.append(np.abs(found[name] - value.numpy()).max())
    return float(np.max(differences))


def _model(net: Exportable) -> Any:
    """Return the exported model, a protocol buffer."""
    optional("onnx", NEEDED), optional("onnxscript", NEEDED)
    axes = {port.axis: torch.export.Dim(port.axis) for port in net.inputs.values()}
    shapes = {name: {0: axes[port.axis]} for name, port in net.inputs.items()}
    with _quiet():
        try:
            # The exporter's own call would fix an axis that it cannot keep open, and say nothing.
            captured = torch.export.export(
                net.graph.eval(), (), _examples(net), dynamic_shapes=shapes, strict=False
            )
            program = torch.onnx.export(
                captured,
                input_names=list(net.inputs),
                output_names=list(net.outputs),
                opset_version=OPSET,
                dynamo=True,
                verbose=False,
            )
        # Nets of others raise whatever they raise.
        except Exception as error:
            raise ValueError(f"this net cannot be written as ONNX: {error}") from error
    assert program is not None
    return program.model_proto


def _describe(model: Any, net: Exportable, said: Mapping[str, Any]) -> None:
    """Put what is said into a model, in place of what the exporter says of code and its folders."""
    graph = model.graph
    for part in (graph, *graph.node, *graph.input, *graph.output, *graph.initializer):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")
    graph.ClearField("value_info")
    model.producer_name, model.producer_version = "gaze-suite", ""
    graph.name = said["model"]
    model.ClearField("metadata_props")
    for key, value in to_texts(said).items():
        model.metadata_props.add(key=key, value=value)
    ports = {**net.inputs, **net.outputs}
    for value in (*graph.input, *graph.output):
        value.doc_string = ports[value.name].what
        value.type.tensor_type.shape.dim[0].dim_param = ports[value.name].axis


def _examples(net: Exportable) -> dict[str, Tensor]:
    return {name: port.example for name, port in net.inputs.items() if port.example is not None}


def _said(ports: Mapping[str, Port]) -> dict[str, str]:
    return {name: port.what for name, port in ports.items()}


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep back what the exporter says of itself."""
    levels = {logging.getLogger(name): logging.getLogger(name).level for name in _TALKATIVE}
    for logger in levels:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in levels.items():
            logger.setLevel(level)
