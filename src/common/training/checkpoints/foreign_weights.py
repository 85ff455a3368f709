"""Weights that other code has written, told from a net's own: prefixes, misfits, what they lack."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from common.listing import listed

UNCOUNTED = "count of batches, which no file from before PyTorch 0.4.1 has: taken as 0"
_COUNT = "num_batches_tracked"
# What even the oldest batch norms have.
_ALWAYS = "running_mean"
# `nn.DataParallel` puts this before every key.
_WRAPPER = "module."
Net = TypeVar("Net", bound=nn.Module)


def unfilled(build: Callable[[], Net], state_dict: Mapping[str, Tensor]) -> Net:
    """Build a net on the CPU whose weights are still to come; no random numbers are drawn.

    It is of float64 if the state dict is, otherwise of float32.
    """
    with torch.device("meta"):
        net = build()
    is_double = any(getattr(v, "dtype", None) == torch.float64 for v in state_dict.values())
    return net.to(torch.float64 if is_double else torch.float32).to_empty(device="cpu")


def unwrapped(state_dict: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return a state dict without the ``module.`` that `nn.DataParallel` puts before each key."""
    if not all(key.startswith(_WRAPPER) for key in state_dict):
        return dict(state_dict)
    return {key.removeprefix(_WRAPPER): value for key, value in state_dict.items()}


def fitted(
    given: Mapping[str, Tensor], expected: Mapping[str, Tensor], misfit: str, hint: str
) -> dict[str, Tensor]:
    """Return a state dict with the counts that it lacks; see `missing_counts`.

    Args:
        given: the state dict.
        expected: the net's own state, under the state dict's keys.
        misfit: what a message says first, e.g. ``x.pth does not fit GazePose``.
        hint: what it says last.

    Raises:
        ValueError: If keys or shapes differ; says how many and which.
    """
    complete = {**given, **missing_counts(given, expected)}
    problems = misfits(complete, expected)
    if problems:
        raise ValueError(
            f"{misfit}: got {len(given)} entries, expected {len(expected)}; {problems}. {hint}"
        )
    return complete


def misfits(given: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> str:
    """Say how two state dicts differ in keys and shapes; empty if they do not."""
    found = {
        "missing": [key for key in expected if key not in given],
        "unexpected": [key for key in given if key not in expected],
        "of another shape": [
            f"{key} is {tuple(given[key].shape)}, expected {tuple(value.shape)}"
            for key, value in expected.items()
            if key in given and given[key].shape != value.shape
        ],
    }
    return "; ".join(f"{len(keys)} {what}: {listed(keys)}" for what, keys in found.items() if keys)


def missing_counts(given: Mapping[str, Any], expected: Iterable[str]) -> dict[str, Tensor]:
    """Return zeros for the counts a state dict lacks, as PyTorch's strict load takes them.

    A norm of which the state dict has nothing at all is left out: it is missing altogether.

    Args:
        given: the state dict.
        expected: the net's keys, in the state dict's names.
    """
    return {
        key: torch.zeros((), dtype=torch.long)
        for key in expected
        if key.endswith(_COUNT)
        and key not in given
        and f"{key.removesuffix(_COUNT)}{_ALWAYS}" in given
    }
