"""Nets in the sizes that weights have."""

import re
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from gazepose.nets.backbones import resnet18
from gazepose.nets.gaze360 import Gaze360
from gazepose.nets.gazelstm import GazeLSTM
from gazepose.nets.gazepose import GazePose
from gazepose.nets.parts import ClipEncoder

MODEL_KEYS = ("gazepose", "gazelstm", "gaze360")
PRIORS = ("all", "head", "landmarks", "none")


def net_of_size(
    model_key: str, state_dict: Mapping[str, Tensor], priors: str, steps: Mapping[str, Any]
) -> ClipEncoder:
    """Build a net as wide and deep as an original's weights.

    Args:
        model_key: one of `MODEL_KEYS`.
        state_dict: with the original's keys.
        priors: one of `PRIORS`; of gazepose.
        steps: what weights do not tell of gazepose: split, dsplit, csplit, heads.

    Raises:
        ValueError: If the model key or the priors are unknown, or the weights say no sizes.
    """
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


def priors_of(state_dict: Mapping[str, Tensor]) -> str:
    """Return which of `PRIORS` GazePose's weights were trained with."""
    has_head = "yaw_embed.weight" in state_dict
    has_landmarks = "joint_embed.weight" in state_dict
    return {(True, True): "all", (True, False): "head", (False, True): "landmarks"}.get(
        (has_head, has_landmarks), "none"
    )


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
