"""Weights of the originals: whole nets, and what a training starts from.

Nothing is renamed on disk: files keep the originals' names (`gazepose.originals.names`), and what
`original_state_dict` gives can be loaded by the originals' code.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from common.training.checkpoints.foreign_weights import UNCOUNTED, fitted, unfilled, unwrapped
from gazepose.nets.backbones import resnet18
from gazepose.nets.gaze360 import Gaze360
from gazepose.nets.gazelstm import GazeLSTM
from gazepose.nets.gazepose import GazePose
from gazepose.nets.parts import ClipEncoder
from gazepose.originals.files import LoadReport, read_state_dict
from gazepose.originals.names import (
    Kind,
    kind_of_net,
    kind_of_weights,
    original_names,
    yaw_turned,
)

MODEL_KEYS = ("gazepose", "gazelstm", "gaze360")
PRIORS = ("all", "head", "landmarks", "none")


def load_net(
    model_key: str,
    state_dict: Mapping[str, Tensor],
    priors: str = "all",
    *,
    split: float = 1.0,
    dsplit: float = 0.1,
    csplit: float = 0.1,
    heads: int = 8,
) -> ClipEncoder:
    """Build a net and fill it from an original state dict; no random numbers are drawn.

    Sizes are those of the weights, so narrower nets of ours load as well.

    Args:
        model_key: "gazepose", "gazelstm" (the Ego4D baseline too) or "gaze360".
        state_dict: with the original's keys, with or without ``module.`` before each.
        priors: "all", "head", "landmarks" or "none", of gazepose: which the net was trained with.
        split: degrees a bin of the head pose, of gazepose; so are the following.
        dsplit: side of a landmark cell.
        csplit: step of the landmark score.
        heads: of each attention; weights do not tell.

    Returns:
        The net in eval mode on the CPU; forward(clip, head_bins, landmarks) -> logits (B, 2), or
        of gaze360 forward(clip) -> `GazeEstimate`.

    Raises:
        ValueError: An unknown model key or priors, or keys or shapes that do not fit them.
    """
    given = unwrapped(state_dict)
    steps = {"split": split, "dsplit": dsplit, "csplit": csplit, "heads": heads}
    net = unfilled(lambda: _net_of_size(model_key, given, priors, steps), given)
    _fill(net, given, "this state dict")
    return net.eval()


def load_original(net: nn.Module, path: Path) -> LoadReport:
    """Fill a whole net from an original's state dict, or a checkpoint with one inside.

    It is GazePose, GazeLSTM (with or without the Ego4D baseline's further layer) or Gaze360; all or
    nothing.

    Raises:
        ValueError: If the file cannot be read or is of another net, or keys or shapes differ.
    """
    return _fill(net, read_state_dict(path), str(path))


def original_state_dict(net: nn.Module) -> dict[str, Tensor]:
    """Return a net's state with the original's keys (not copied, but for what is turned).

    Raises:
        ValueError: As `original_names`.
    """
    own = yaw_turned(net, net.state_dict())
    return {original: own[name] for name, original in original_names(net).items()}


def _fill(net: nn.Module, given: Mapping[str, Tensor], source: str) -> LoadReport:
    """Fill all of a net from a state dict with the original's keys."""
    kind, found = kind_of_net(net), kind_of_weights(given)
    names, own = original_names(net), net.state_dict()
    expected = {original: own[name] for name, original in names.items()}
    state = fitted(given, expected, f"{source} does not fit {kind}", _hint(kind, found, given))
    filled = {name: state[original] for name, original in names.items()}
    net.load_state_dict(yaw_turned(net, filled))
    return LoadReport(
        f"{source} ({found})",
        matched=tuple(name for name, original in names.items() if original in given),
        missing={name: UNCOUNTED for name, original in names.items() if original not in given},
    )


def _hint(kind: Kind, found: Kind, given: Mapping[str, Tensor]) -> str:
    if found is Kind.SUITE:
        return "It is a checkpoint of this suite: give its run as run=RUN"
    if found is Kind.BASELINE and kind is Kind.GAZELSTM:
        return "It is the Ego4D baseline's: model=gazelstm 'model.net.head_hidden=[128]'"
    if found is not kind:
        return f"Its keys are those of {found}; load it as that"
    if kind is Kind.GAZEPOSE:
        return f"It was trained with priors={_priors_of(given)}; its sizes must be the net's, too"
    return "Give the sizes it was trained with"


def _net_of_size(
    model_key: str, state_dict: Mapping[str, Tensor], priors: str, steps: Mapping[str, Any]
) -> ClipEncoder:
    """Build a net as wide and deep as weights are; `steps` are what they do not tell."""
    if model_key not in MODEL_KEYS:
        raise ValueError(f"unknown model key {model_key!r}; expected one of {MODEL_KEYS}")
    if priors not in PRIORS:
        raise ValueError(f"unknown priors {priors!r}; expected one of {PRIORS}")
    frames = _frame_sizes(state_dict)
    if model_key == "gaze360":
        return Gaze360(**frames)
    if model_key == "gazelstm":
        return GazeLSTM(head_hidden=_head_hidden(state_dict), **frames)
    return GazePose(
        use_head=priors in ("all", "head"),
        use_landmarks=priors in ("all", "landmarks"),
        **frames,
        **_transformer_sizes(state_dict),
        **steps,
    )


def _priors_of(state_dict: Mapping[str, Tensor]) -> str:
    """Return which of `PRIORS` GazePose's weights were trained with."""
    embeddings = {"head": "yaw_embed.weight", "landmarks": "joint_embed.weight"}
    found = [name for name, key in embeddings.items() if key in state_dict]
    return "all" if len(found) == 2 else (found or ["none"])[0]


def _frame_sizes(state_dict: Mapping[str, Tensor]) -> dict[str, Any]:
    return {
        "backbone": resnet18(_size(state_dict, "base_model.conv1.weight")),
        "embedding_hidden": _size(state_dict, "base_model.fc1.weight"),
        "embedding": _size(state_dict, "base_model.fc2.weight"),
        "lstm_hidden": _size(state_dict, "lstm.weight_hh_l0", axis=1),
    }


def _transformer_sizes(state_dict: Mapping[str, Tensor]) -> dict[str, Any]:
    return {
        "width": _size(state_dict, "input_proj.weight"),
        "feedforward": _size(state_dict, "transformer.decoder.layers.0.linear1.weight"),
        "num_encoder_layers": _num_layers(state_dict, "encoder"),
        "num_decoder_layers": _num_layers(state_dict, "decoder"),
    }


def _head_hidden(state_dict: Mapping[str, Tensor]) -> tuple[int, ...]:
    """Return the sizes of the Ego4D baseline's further layer; none in GazeLSTM."""
    further = "last_layer1.weight"
    return (_size(state_dict, further),) if further in state_dict else ()


def _num_layers(state_dict: Mapping[str, Tensor], half: str) -> int:
    pattern = re.compile(rf"transformer\.{half}\.layers\.(\d+)\.")
    found = [int(match[1]) for key in state_dict if (match := pattern.match(key))]
    return max(found, default=-1) + 1


def _size(state_dict: Mapping[str, Tensor], key: str, axis: int = 0) -> int:
    if key not in state_dict:
        raise ValueError(
            f"these {len(state_dict)} weights are of another net: {key!r} is missing; expected an "
            "original's state dict, not a checkpoint around it"
        )
    return int(state_dict[key].shape[axis])
