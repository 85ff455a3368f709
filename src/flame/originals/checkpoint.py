"""Checkpoints of the original FLAME (commit 4494fd7): weights, optimizer, file form.

Nothing is renamed on disk: a file read here has the original's keys, a file written here can be
loaded by the original's code. Narrower nets of ours have the same keys, so they export as well.
"""

import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from common.files.form import ANY, COUNT, TEXT, Each, Kind, check_form
from common.listing import listed
from common.training.checkpoints.foreign_weights import UNCOUNTED, fitted, unfilled, unwrapped
from common.training.checkpoints.reading import read_checkpoint as read_file
from common.training.checkpoints.reading import save_checkpoint
from flame.nets.parts import GazeNet
from flame.originals.names import (
    MODEL_KEYS,
    guess_model_key,
    model_key_of,
    original_names,
)

LOG = logging.getLogger(__name__)

_TENSOR = Kind("a tensor", lambda value: isinstance(value, Tensor))
_NUMBER = Kind(
    "a number",
    lambda value: (
        isinstance(value, int | float) or (isinstance(value, Tensor) and value.numel() == 1)
    ),
)
_FORM = {
    "epoch": COUNT,
    "model_state_dict": Each(_TENSOR, keys=TEXT),
    # Looked at where training goes on from them: `flame.originals.exchange`.
    "optimizer_state_dict": Each(ANY, keys=TEXT),
    "scheduler_state_dict": Each(ANY, keys=TEXT),
    "loss_train": _NUMBER,
    "loss_cv": _NUMBER,
}
OPTIMIZER_FORM = {
    "state": Each({"step": _NUMBER, "exp_avg": _TENSOR, "exp_avg_sq": _TENSOR}, keys=COUNT),
    "param_groups": [{"params": [COUNT]}],
}


@dataclass(frozen=True, eq=False)
class OriginalCheckpoint:
    """What the original saves after every epoch, under these names in this order.

    Attributes:
        epoch: the first is 0.
        model_state_dict: with the original's keys; as read, without ``module.`` before each.
        optimizer_state_dict: Adam's, parameters in the original's order.
        scheduler_state_dict: MultiStepLR's, saved *before* the step that ends the epoch.
        loss_train: mean training loss of the epoch.
        loss_cv: mean angular error on the validation part in degrees.
    """

    epoch: int
    model_state_dict: dict[str, Tensor]
    optimizer_state_dict: dict[str, Any]
    scheduler_state_dict: dict[str, Any]
    loss_train: float
    loss_cv: float


def load_net(
    model_key: str,
    state_dict: Mapping[str, Tensor],
    *,
    width: int = 64,
    hidden: int = 512,
    dropout: float = 0.2,
    input_size: int = 120,
) -> GazeNet:
    """Build a net and fill it from an original state dict; no random numbers are drawn.

    Args:
        model_key: one of `flame.originals.names.MODEL_KEYS`.
        state_dict: with the original's keys, with or without ``module.`` before each.
        width: as `flame.nets.flame.Flame`; so are the following. The published nets have the
            defaults.
        hidden: likewise.
        dropout: likewise.
        input_size: likewise.

    Returns:
        The net in eval mode on the CPU, float64 if the state dict is, otherwise float32.

    Raises:
        ValueError: An unknown model key, or keys or shapes that do not fit it.
    """
    if model_key not in MODEL_KEYS:
        raise ValueError(f"unknown model key {model_key!r}; expected {listed([*MODEL_KEYS])}")
    sizes = {"width": width, "hidden": hidden, "input_size": input_size}
    net = unfilled(lambda: MODEL_KEYS[model_key](**sizes, dropout=dropout), state_dict)
    load_original_state_dict(net, state_dict)
    return net.eval()


def load_original_state_dict(net: GazeNet, state_dict: Mapping[str, Tensor]) -> None:
    """Copy an original state dict into a net of ours; all or nothing.

    Raises:
        ValueError: Keys or shapes that do not fit the net, with how many and which.
    """
    given, own = unwrapped(state_dict), net.state_dict()
    names, misfit = original_names(net), f"this state dict does not fit {model_key_of(net)!r}"
    expected = {original: own[name] for name, original in names.items()}
    complete = fitted(given, expected, misfit, _hint(net, given))
    try:
        # Copied before any is loaded: PyTorch would load the others of one that it cannot take.
        copied = {
            name: torch.empty_like(own[name]).copy_(complete[original])
            for name, original in names.items()
        }
    # Numbers that are no plain array: sparse, or of a type that has no float.
    except RuntimeError as error:
        raise ValueError(f"{misfit}: {error}") from error
    net.load_state_dict(copied)
    if len(complete) > len(given):
        LOG.info("%d entries of the net not filled: %s", len(complete) - len(given), UNCOUNTED)


def to_original_state_dict(net: GazeNet) -> dict[str, Tensor]:
    """Return a net's state with the original's keys, in the original's order (not copied)."""
    own = net.state_dict()
    return {original: own[name] for name, original in original_names(net).items()}


def read_checkpoint(path: Path) -> OriginalCheckpoint:
    """Read a checkpoint file of the original; tensors and plain values only, never code.

    Raises:
        ValueError: If the file is missing, damaged, holds anything but plain values, or is not
            of the original's form.
    """
    # MultiStepLR keeps its milestones in a Counter.
    with torch.serialization.safe_globals([Counter]):
        content = read_file(path)
    missing = [key for key in _FORM if key not in content]
    if missing:
        raise ValueError(
            f"{path} is not a checkpoint of the original: {', '.join(missing)} missing, got "
            f"{listed([*map(str, content)])}"
        )
    check_form(content, _FORM, str(path))
    state = unwrapped(content["model_state_dict"])
    if guess_model_key(state) is None:
        raise ValueError(f"{path} holds no net of the original: its keys are {listed([*state])}")
    return OriginalCheckpoint(**{key: content[key] for key in _FORM} | {"model_state_dict": state})


def write_checkpoint(path: Path, checkpoint: OriginalCheckpoint) -> None:
    """Write a checkpoint in exactly the original's form; the file appears whole or not at all."""
    save_checkpoint({key: getattr(checkpoint, key) for key in _FORM}, path)


def _hint(net: GazeNet, given: Mapping[str, Tensor]) -> str:
    guess = guess_model_key(given)
    if guess and guess != model_key_of(net):
        return f"Its keys are those of {guess!r}; load it as that"
    return "If only shapes differ, give the width, hidden and input_size it was trained with"
