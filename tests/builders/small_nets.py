"""Narrow nets that run in milliseconds, and the modules around them."""

from pathlib import Path
from typing import Any

import torch
from torch import nn

from gazepose.nets.backbones import resnet18
from gazepose.nets.gaze360 import Gaze360
from gazepose.nets.gaze_cone import GazeCone
from gazepose.nets.gazelstm import GazeLSTM
from gazepose.nets.gazepose import GazePose
from gazepose.nets.parts import ClipNet
from gazepose.training.losses import WeightedCrossEntropy
from gazepose.training.module import EyeContactModule

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


def small_gaze_cone(seed: int = 0, **settings: Any) -> GazeCone:
    torch.manual_seed(seed)
    return GazeCone(resnet18(4), **{**FRAMES, **settings})


def small_module(net: ClipNet | None = None, **settings: Any) -> EyeContactModule:
    """Return the module of a net, by default of a GazePose, in evaluation mode."""
    defaults: dict[str, Any] = {
        "loss": WeightedCrossEntropy(),
        "optimizer": lambda parameters: torch.optim.Adam(parameters, lr=0.01),
        "scheduler": None,
    }
    return EyeContactModule(net or small_gazepose(), **(defaults | settings)).eval()


def save_checkpoint_of(path: Path, net: nn.Module) -> Path:
    """Write the weights of a net as a run's checkpoint has them."""
    state = {f"net.{key}": value for key, value in net.state_dict().items()}
    content = {"epoch": 1, "state_dict": {**state, "loss.weight": torch.ones(2)}}
    torch.save(content, path)
    return path
