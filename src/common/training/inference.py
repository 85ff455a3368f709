"""A trained module, or an exported net in its place, as photos and videos use it."""

from contextlib import AbstractContextManager
from typing import Any, TypeVar

import torch
from torch import nn

PRECISIONS = ("32-true", "bf16-mixed")
"""Of Lightning's."""
Module = TypeVar("Module", bound=Any)


def ready(module: Module, precision: str) -> Module:
    """Return a module in eval mode, with its net laid out for images as they come from a camera.

    Colours innermost: a ResNet-18 at 224 px took 20 instead of 31 ms of processor time a face.
    An exported net is as it was exported.

    Raises:
        ValueError: If it cannot compute `at_precision`.
    """
    _check_precision(module, precision)
    module.eval()
    if isinstance(module, nn.Module):
        net: Any = module.net
        net.to(memory_format=torch.channels_last)
    return module


def _check_precision(module: Any, precision: str) -> None:
    if precision != PRECISIONS[0] and not isinstance(module, nn.Module):
        raise ValueError(f"precision is {precision}, but an exported net computes in 32-true only")
    if precision not in PRECISIONS:
        raise ValueError(
            f"trainer.precision={precision} is for tests; photos and videos take "
            f"{' or '.join(PRECISIONS)}"
        )


def at_precision(module: Any, precision: str) -> AbstractContextManager[Any]:
    """Return the context in which a module on its device computes at one of `PRECISIONS`."""
    is_mixed = precision == "bf16-mixed"
    return torch.autocast(torch.device(module.device).type, torch.bfloat16, enabled=is_mixed)
