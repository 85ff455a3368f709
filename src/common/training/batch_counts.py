"""Batch norms' counts of batches, which files from before PyTorch 0.4.1 do not have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor

UNCOUNTED = "count of batches, which no file from before PyTorch 0.4.1 has: taken as 0"
_NAME = "num_batches_tracked"
# What even the oldest batch norms have.
_ALWAYS = "running_mean"


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
        if key.endswith(_NAME)
        and key not in given
        and f"{key.removesuffix(_NAME)}{_ALWAYS}" in given
    }
