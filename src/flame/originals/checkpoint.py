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
from common.training.checkpoint import UNCOUNTED, missing_counts, save_checkpoint
from common.training.checkpoint import read_checkpoint as read_file
from flame.nets.parts import GazeNet
from flame.originals.names import (
    guess_model_key,
    model_key_of,
    net_class,
    original_names,
    quoted,
    unwrapped,
)

LOG = logging.getLogger(__name__)

_FILE_KEYS = (
    "epoch",
    "model_state_dict",
    "optimizer_state_dict",
    "scheduler_state_dict",
    "loss_train",
    "loss_cv",
)
_TENSOR = Kind("a tensor", lambda value: isinstance(value, Tensor))
_NUMBER = Kind(
    "a number",
    lambda value: (
        isinstance(value, int | float) or (isinstance(value, Tensor) and value.numel() == 1)
    ),
)
_FORM = {
    **{"epoch": COUNT, "loss_train": _NUMBER, "loss_cv": _NUMBER},
    "model_state_dict": Each(_TENSOR, keys=TEXT),
    # Looked at where training goes on from them: `flame.originals.exchange`.
    **dict.fromkeys(("optimizer_state_dict", "scheduler_state_dict"), Each(ANY, keys=TEXT)),
}
OPTIMIZER_FORM = {
    "state": Each({"step": _NUMBER, "exp_avg": _TENSOR, "exp_avg_sq": _TENSOR}, keys=COUNT),
    "param_groups": [{"params": [COUNT]}],
}


@dataclass(frozen=True, eq=False)
class OriginalCheckpoint:
    """What the original saves after every epoch.

    Attributes:
        model_key: one of `flame.originals.names.MODEL_KEYS`; not in the file.
        epoch: the file's own number, as it stands there.
        model_state: the net's state with the original's keys.
        optimizer_state: Adam's, parameters in the original's order.
        scheduler_state: MultiStepLR's, saved *before* the step that ends the epoch.
        loss_train: mean training loss of the epoch.
        loss_cv: mean angular error on the validation part in degrees.
    """

    model_key: str
    epoch: int
    model_state: dict[str, Tensor]
    optimizer_state: dict[str, Any]
    scheduler_state: dict[str, Any]
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
        model_key: One of `flame.originals.names.MODEL_KEYS`.
        state_dict: With the original's keys, with or without ``module.`` before each.
        width: As the net's constructor; so are the following. The published nets have the
            defaults.
        hidden: See `flame.nets.flame.Flame`.
        dropout: See `flame.nets.flame.Flame`.
        input_size: See `flame.nets.flame.Flame`.

    Returns:
        The net in eval mode on the CPU, float64 if the state dict is, otherwise float32.

    Raises:
        ValueError: An unknown model key, or keys or shapes that do not fit it.
    """
    with torch.device("meta"):
        net = net_class(model_key)(
            width=width, hidden=hidden, dropout=dropout, input_size=input_size
        )
    is_double = any(getattr(v, "dtype", None) == torch.float64 for v in state_dict.values())
    net = net.to(torch.float64 if is_double else torch.float32).to_empty(device="cpu")
    load_original_state_dict(net, state_dict)
    return net.eval()


def load_original_state_dict(net: GazeNet, state_dict: Mapping[str, Tensor]) -> None:
    """Copy an original state dict into a net of ours; all or nothing.

    Raises:
        ValueError: Keys or shapes that do not fit the net, with how many and which.
    """
    given = unwrapped(state_dict)
    names = original_names(net)
    own = net.state_dict()
    uncounted = missing_counts(given, names.values())
    complete = given | uncounted
    expected = {original: own[name] for name, original in names.items()}
    misfits = _misfits(complete, expected)
    if misfits:
        raise ValueError(
            f"this state dict does not fit {model_key_of(net)!r}: got {len(given)} entries, "
            f"expected {len(expected)}; {'; '.join(misfits)}. {_hint(net, given)}"
        )
    try:
        net.load_state_dict({name: complete[original] for name, original in names.items()})
    # Numbers that are no plain array: sparse, or of a type that has no float.
    except RuntimeError as error:
        raise ValueError(f"this state dict does not fit {model_key_of(net)!r}: {error}") from error
    if uncounted:
        LOG.info("%d entries of the net not filled: %s", len(uncounted), UNCOUNTED)


def to_original_state_dict(net: GazeNet) -> dict[str, Tensor]:
    """Return a net's state with the original's keys, in the original's order (not copied)."""
    own = net.state_dict()
    return {original: own[name] for name, original in original_names(net).items()}


def read_checkpoint(path: Path, model_key: str | None = None) -> OriginalCheckpoint:
    """Read a checkpoint file of the original; tensors and plain values only, never code.

    Args:
        path: The ``.pth`` file.
        model_key: One of `flame.originals.names.MODEL_KEYS`; None tells it from the keys.

    Raises:
        ValueError: If the file is missing, damaged, holds anything but plain values, or is not
            of the original's form.
    """
    # MultiStepLR keeps its milestones in a Counter.
    with torch.serialization.safe_globals([Counter]):
        content = read_file(path)
    missing = [key for key in _FILE_KEYS if key not in content]
    if missing:
        raise ValueError(
            f"{path} is not a checkpoint of the original: {', '.join(missing)} missing, got "
            f"{quoted(list(content))}"
        )
    check_form(content, _FORM, str(path))
    model_state = unwrapped(content["model_state_dict"])
    if model_key is None:
        model_key = guess_model_key(model_state)
    if model_key is None:
        raise ValueError(f"{path} holds no net of the original: its keys are {quoted(model_state)}")
    net_class(model_key)
    return OriginalCheckpoint(
        model_key=model_key,
        epoch=int(content["epoch"]),
        model_state=model_state,
        optimizer_state=content["optimizer_state_dict"],
        scheduler_state=content["scheduler_state_dict"],
        loss_train=float(content["loss_train"]),
        loss_cv=float(content["loss_cv"]),
    )


def write_checkpoint(path: Path, checkpoint: OriginalCheckpoint) -> None:
    """Write a checkpoint in exactly the original's form; the file appears whole or not at all."""
    values = (
        checkpoint.epoch,
        checkpoint.model_state,
        checkpoint.optimizer_state,
        checkpoint.scheduler_state,
        checkpoint.loss_train,
        checkpoint.loss_cv,
    )
    save_checkpoint(dict(zip(_FILE_KEYS, values, strict=True)), path)


def _misfits(given: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> list[str]:
    """Say in words how two state dicts differ in keys and shapes; empty if they do not."""
    missing = [key for key in expected if key not in given]
    unexpected = [key for key in given if key not in expected]
    reshaped = [
        f"{key} is {tuple(given[key].shape)}, expected {tuple(expected[key].shape)}"
        for key in expected
        if key in given and given[key].shape != expected[key].shape
    ]
    found = {"missing": missing, "unexpected": unexpected, "of another shape": reshaped}
    return [f"{len(keys)} {what}: {quoted(keys)}" for what, keys in found.items() if keys]


def _hint(net: GazeNet, given: Mapping[str, Tensor]) -> str:
    guess = guess_model_key(given)
    if guess and guess != model_key_of(net):
        return f"Its keys are those of {guess!r}; load it as that"
    return "If only shapes differ, give the width, hidden and input_size it was trained with"
