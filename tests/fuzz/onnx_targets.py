"""Exported nets, by anybody: `predict.py onnx=`, from the file to the faces of a photo and a video.

Changed bytes seldom make another net that can be opened, or another sound text within it. So a
net is mutated as JSON, too (``graph.onnx``), and so is what it says of itself (``said.onnx``); what
comes of these is made a net before it is read.
"""

import json
from collections.abc import Callable, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from builders.coloured_faces import GREEN, RED, frame_of
from builders.fake_faces import TWO_FACES, photo
from builders.small_nets import small_module
from builders.small_training import composed, one_thread
from google.protobuf.json_format import MessageToJson, Parse
from torch import nn

from common.arrays import Image
from common.media.presentation import Shown
from common.media.video import TimedFrame
from common.onnx.metadata import to_texts
from common.onnx.net import OnnxNet
from common.prediction.command import asked_annotator
from common.prediction.exporting import export
from common.prediction.trained import Trained, find_trained
from flame.data.statistics import Statistics
from flame.nets.flame import FlameAF
from flame.training.losses import VectorDifferenceLoss
from flame.training.module import GazeAngleModule
from fuzz.target import Target
from gazepose.nets.backbones import resnet18
from gazepose.nets.gazepose import GazePose

_NET, _GRAPH, _SAID = "net.onnx", "graph.onnx", "said.onnx"
_NUM_FRAMES = 9


def _gaze() -> GazeAngleModule:
    torch.manual_seed(0)
    ranges = Statistics(-0.3, 0.3, -0.5, 0.5)
    parts = (FlameAF(width=1, hidden=2), VectorDifferenceLoss(), torch.optim.Adam)
    return GazeAngleModule(*parts, statistics=ranges)


def _contact() -> nn.Module:
    torch.manual_seed(0)
    frames = {"embedding": 4, "embedding_hidden": 4, "lstm_hidden": 2}
    layers = {"num_encoder_layers": 0, "num_decoder_layers": 1}
    size = {"width": 4, "heads": 2, "feedforward": 4}
    return small_module(GazePose(resnet18(1), **frames, **layers, **size))


def _make(module: Callable[[], nn.Module], typed: Sequence[str], folder: Path) -> list[Path]:
    """Write a net, as JSON too, and what it says."""
    config = composed("train", "paths.run_dir=x", *typed)
    weights = folder / "weights"
    weights.touch()
    trained = Trained(module(), config, "mine", {"recipe": {}}, folder, weights)
    with one_thread():
        export(composed("predict", "paths.run_dir=x", f"export={folder / _NET}"), trained)
    (folder / _GRAPH).write_text(MessageToJson(onnx.load(folder / _NET), indent=None))
    (folder / _SAID).write_text(json.dumps(OnnxNet(folder / _NET).metadata))
    return [folder / name for name in (_NET, _GRAPH, _SAID)]


def _read(image: Image, video: Sequence[Image], analyzer: str, path: Path) -> None:
    if path.name != _NET and not _is_made(path):
        return
    config = {**_config(), "onnx": str(path)}
    with one_thread():
        trained = find_trained(config)
        asked_annotator(config, trained, None).annotate(np.zeros((64, 64, 3), np.uint8))
        config["annotator"] = {"analyzer": {"_target_": analyzer}}
        annotator = asked_annotator(config, trained, None)
        annotator.annotate(image)
        frames = (
            TimedFrame(number, each, Shown(number / 30, 1 / 30))
            for number, each in enumerate(video)
        )
        for _ in annotator.predict_frames(frames):
            pass


def _is_made(path: Path) -> bool:
    """Replace JSON by the net that it is of; return whether there is one."""
    try:
        model = _net_of_json(path) if path.name == _GRAPH else _net_that_says(path)
        path.write_bytes(model.SerializeToString())
    # What no net can be; protobuf has many words for it, SystemError among them.
    except Exception:
        return False
    return True


def _net_of_json(path: Path) -> Any:
    return Parse(path.read_bytes(), onnx.ModelProto())


def _net_that_says(path: Path) -> Any:
    model = onnx.load(path.with_name(_NET))
    model.ClearField("metadata_props")
    for key, value in to_texts(json.loads(path.read_bytes())).items():
        model.metadata_props.add(key=key, value=value)
    return model


@cache
def _config() -> dict[str, Any]:
    return composed("predict", "paths.run_dir=x", f"onnx={_NET}")


TARGETS: list[Target] = [
    Target(
        "onnx_gaze",
        partial(_make, _gaze, ("model=flame_af", "data=columbiagaze")),
        partial(_read, photo(TWO_FACES), (), "builders.fake_faces.FakeAnalyzerSettings"),
    ),
    Target(
        "onnx_contact",
        partial(_make, _contact, ("model=gazepose", "data=ego4d", "model.image_size=32")),
        partial(
            _read,
            frame_of({RED: 40, GREEN: 100}),
            [frame_of({RED: 40 + number, GREEN: 100}) for number in range(_NUM_FRAMES)],
            "builders.coloured_faces.SquareSettings",
        ),
    ),
]
