"""An exported net: arrays in, arrays out, by ONNX Runtime on the CPU.

The file may be anybody's. A net of this suite is one graph of standard operators without loops,
functions or files beside it; whatever else a file holds is refused before it is run, and operators
of others are never loaded.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from common.arrays import Array
from common.config.optional_packages import optional
from common.listing import listed
from common.onnx.metadata import from_texts

NEEDED = "nets as ONNX files need onnx, onnxscript and onnxruntime; type pip install -e '.[onnx]'"
# Protobuf's own; weights of the largest published net take 250 MB.
_MAX_BYTES = (1 << 31) - 1
_MAX_SIDE = 4096
_STANDARD = ("", "ai.onnx")


class OnnxNet:
    """A net in an ONNX file, opened.

    Args:
        path: the file.

    Attributes:
        path: likewise.
        metadata: what the file says of itself, by name; see `common.onnx.metadata`.
        shapes: of each input by name; None for an axis of any length.

    Raises:
        ValueError: If there is no such file, it is no net that this suite exported, or it asks for
            more than standard operators and its own bytes.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        content = _content(path)
        texts, self.shapes = _examined(content, path)
        self.metadata = from_texts(texts, str(path))
        self._session = _session(content, path)
        self._outputs = [output.name for output in self._session.get_outputs()]

    def __call__(self, arrays: Mapping[str, Array]) -> dict[str, Array]:
        """Return the outputs by name for inputs by name; other arrays are ignored.

        Raises:
            ValueError: If an input is missing or has another form than the net takes.
        """
        given = {name: array for name, array in arrays.items() if name in self.shapes}
        try:
            found = self._session.run(self._outputs, given)
        # Each kind of failure has a class of its own.
        except Exception as error:
            raise ValueError(f"{self.path} cannot be run on this: {error}") from error
        return dict(zip(self._outputs, found, strict=True))

    def numbers(self, name: str, shape: tuple[int, ...], arrays: Mapping[str, Array]) -> Array:
        """Return an output of float32 in the shape that it must have, for inputs as in a call.

        Raises:
            ValueError: If it has another form, or holds what is no finite number.
        """
        found: Any = self(arrays).get(name)
        is_array = isinstance(found, np.ndarray)
        form = f"{found.dtype} {found.shape}" if is_array else "no array"
        if form != f"float32 {shape}":
            raise ValueError(f"{self.path}: its {name} is {form}, expected float32 {shape}")
        strange = found[~np.isfinite(found)]
        if len(strange):
            raise ValueError(f"{self.path}: its {name} holds {strange[0]}, expected finite numbers")
        return found

    def check_inputs(self, shapes: Mapping[str, tuple[int | None, ...]]) -> None:
        """Refuse a net that takes other inputs than whoever runs it will give.

        Raises:
            ValueError: If so.
        """
        if self.shapes != shapes:
            raise ValueError(
                f"{self.path} takes {_said(self.shapes)}, expected {_said(shapes)}: export it "
                "again with this version"
            )


def _content(path: Path) -> bytes:
    if not path.is_file():
        raise ValueError(f"no file {path}; predict.py run=RUN export=FILE.onnx writes one")
    if path.stat().st_size > _MAX_BYTES:
        raise ValueError(f"{path} is larger than an ONNX file can be")
    return path.read_bytes()


def _examined(
    content: bytes, path: Path
) -> tuple[dict[str, str], dict[str, tuple[int | None, ...]]]:
    """Return a model's metadata, and the shapes of its inputs; refuses what no export here has."""
    onnx = optional("onnx", NEEDED)
    try:
        model = onnx.ModelProto.FromString(content)
    except Exception as error:
        raise ValueError(f"{path} is no ONNX file, or a damaged one: {error}") from error
    strange = sorted(set(_strange(model, onnx)))
    if strange:
        raise ValueError(
            f"{path} is not run, as it could be from anybody: it holds {listed(strange)}. "
            "A net that this suite exports is one graph of standard operators with its weights"
        )
    shapes = {one.name: _shape(one, path) for one in model.graph.input}
    return {one.key: one.value for one in model.metadata_props}, shapes


def _strange(model: Any, onnx: Any) -> Iterator[str]:
    """Yield what an exported net does not have: each could reach beyond the file, or never end."""
    graph = model.graph
    attributes = [(node.op_type, one) for node in graph.node for one in node.attribute]
    parts = {
        "functions of its own": model.functions,
        "graphs of a training": model.training_info,
        "sparse weights": [
            *graph.sparse_initializer,
            *(one for _, one in attributes if _is_sparse(one)),
        ],
    }
    yield from (name for name, found in parts.items() if found)
    domains = (one.domain for one in (*model.opset_import, *graph.node))
    yield from (f"operators of {domain!r}" for domain in domains if domain not in _STANDARD)
    yield from (
        f"a graph within {name}" for name, one in attributes if one.graphs or one.HasField("g")
    )
    tensors = [*graph.initializer]
    for _, one in attributes:
        tensors += [one.t, *one.tensors]
    inside = onnx.TensorProto.DEFAULT
    if any(tensor.data_location != inside or tensor.external_data for tensor in tensors):
        yield "weights in other files"


def _is_sparse(attribute: Any) -> bool:
    return attribute.HasField("sparse_tensor") or bool(attribute.sparse_tensors)


def _shape(value: Any, path: Path) -> tuple[int | None, ...]:
    sides = value.type.tensor_type.shape.dim
    if any(side.dim_value > _MAX_SIDE for side in sides):
        raise ValueError(f"{path}: input {value.name} has sides over {_MAX_SIDE}")
    return tuple(side.dim_value if side.HasField("dim_value") else None for side in sides)


def _session(content: bytes, path: Path) -> Any:
    runtime = optional("onnxruntime", NEEDED)
    options = runtime.SessionOptions()
    options.log_severity_level = 3  # errors
    # What was examined is what is run: ONNX Runtime would take some files for its own format.
    options.add_session_config_entry("session.load_model_format", "ONNX")
    options.intra_op_num_threads = torch.get_num_threads()
    # Threads that wait without spinning: beside another busy process spinning ones cost many times.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return runtime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    # Whatever is wrong with a graph has a class of its own.
    except Exception as error:
        raise ValueError(f"{path} cannot be opened: {error}") from error


def _said(shapes: Mapping[str, tuple[int | None, ...]]) -> str:
    return "; ".join(
        f"{name} ({', '.join('any' if side is None else str(side) for side in shape)})"
        for name, shape in shapes.items()
    )
