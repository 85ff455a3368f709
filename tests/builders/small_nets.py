"""Narrow nets that run in milliseconds."""

from typing import Any

import torch

from gazepose.nets.backbones import resnet18
from gazepose.nets.gaze360 import Gaze360
from gazepose.nets.gazelstm import GazeLSTM
from gazepose.nets.gazepose import GazePose

FRAMES: dict[str, Any] = {"embedding": 12, "embedding_hidden": 10, "lstm_hidden": 6}
TRANSFORMER: dict[str, Any] = {
    "width": 16,
    "heads": 2,
    "feedforward": 24,
    "num_encoder_layers": 2,
    "num_decoder_layers": 1,
}


def small_gazepose(seed: int = 0, **settings: Any) -> GazePose:
    torch.manual_seed(seed)
    return GazePose(resnet18(4), **{**FRAMES, **TRANSFORMER, **settings})


def small_gazelstm(seed: int = 0, **settings: Any) -> GazeLSTM:
    torch.manual_seed(seed)
    return GazeLSTM(resnet18(4), **{**FRAMES, **settings})


def small_gaze360(seed: int = 0) -> Gaze360:
    torch.manual_seed(seed)
    return Gaze360(resnet18(4), **FRAMES)
