from __future__ import annotations

import torch
from torch import nn

from common.training.checkpoint import missing_counts


def test_counts_are_taken_as_pytorch_takes_them() -> None:
    net = nn.Sequential(nn.BatchNorm2d(2), nn.Linear(2, 2), nn.BatchNorm2d(2))
    old = {key: value for key, value in net.state_dict().items() if "num_batches" not in key}
    counts = missing_counts(old, net.state_dict())
    net.load_state_dict(old)
    expected = {key: value for key, value in net.state_dict().items() if key not in old}
    assert counts == expected
    assert {value.dtype for value in counts.values()} == {torch.int64}


def test_counts_that_are_there_stay_and_a_missing_norm_is_missing() -> None:
    state = nn.BatchNorm2d(2).state_dict(prefix="first.")
    expected = {**state, **nn.BatchNorm2d(2).state_dict(prefix="second.")}
    assert missing_counts(state, expected) == {}
