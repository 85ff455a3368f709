"""Reading what torch.save wrote: state dicts of originals, of other suites, of this one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from common.listing import listed
from common.training.checkpoints.foreign_weights import unwrapped
from common.training.checkpoints.reading import read_checkpoint

# Where checkpoints keep the weights, if they hold anything else.
_STATE_DICTS = ("state_dict", "model_state_dict", "model")


@dataclass(frozen=True)
class LoadReport:
    """Which weights of a file a net took. Printed, it is a few readable lines.

    Attributes:
        source: the file, and whose weights it holds.
        matched: the net's entries that were filled, by our names.
        dropped: the file's entries that were not taken, by the file's names -> why.
        missing: the net's entries that were not filled, by our names -> why.
    """

    source: str
    matched: tuple[str, ...]
    dropped: Mapping[str, str] = field(default_factory=dict)
    missing: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        lines = [f"{self.source}: {len(self.matched)} entries loaded"]
        lines += _lines("of the file dropped", self.dropped)
        lines += _lines("of the net not filled", self.missing)
        return "\n  ".join(lines)


def read_state_dict(path: Path) -> dict[str, Tensor]:
    """Return the weights of a file: a bare state dict, or a checkpoint with one inside.

    Only tensors and plain values are read, never code. NumPy numbers, which some checkpoints have
    as their best score, count as plain.

    Returns:
        The state dict without the ``module.`` of `nn.DataParallel`.

    Raises:
        ValueError: If the file is missing, damaged, or holds no weights.
    """
    with torch.serialization.safe_globals(_numpy_numbers()):
        content = read_checkpoint(path)
    inside = next((content[key] for key in _STATE_DICTS if key in content), content)
    if not isinstance(inside, Mapping) or not _are_tensors(inside):
        raise ValueError(
            f"{path} holds no weights: got {listed(list(map(str, content)))}, expected a state "
            f"dict or a checkpoint with one as {' or '.join(_STATE_DICTS)}"
        )
    return unwrapped(inside)


def _are_tensors(state_dict: Mapping[Any, Any]) -> bool:
    return bool(state_dict) and all(
        isinstance(key, str) and isinstance(value, Tensor) and _is_whole(value)
        for key, value in state_dict.items()
    )


def _is_whole(value: Tensor) -> bool:
    """Return whether all of a tensor is in the file: a view may claim to be of any size."""
    return value.layout == torch.strided and value.nbytes <= value.untyped_storage().nbytes()


def _numpy_numbers() -> list[Any]:
    """Return what a pickled NumPy number is made of."""
    kinds = (np.float64, np.float32, np.int64)
    scalar = np.core.multiarray.scalar  # type: ignore[attr-defined]
    return [scalar, np.dtype, *(type(np.dtype(kind)) for kind in kinds)]


def _lines(what: str, reasons: Mapping[str, str]) -> list[str]:
    """Return a line a reason."""
    keys_by_reason: dict[str, list[str]] = {}
    for key, reason in reasons.items():
        keys_by_reason.setdefault(reason, []).append(key)
    return [
        f"{len(keys)} {what}: {listed(_parts(keys))}: {reason}"
        for reason, keys in keys_by_reason.items()
    ]


def _parts(keys: list[str]) -> list[str]:
    """Return the top-level parts that keys are of, each once."""
    return list(dict.fromkeys(key.removeprefix("net.").partition(".")[0] for key in keys))
