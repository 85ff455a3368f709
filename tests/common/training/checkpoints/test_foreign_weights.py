"""Weights of others: what old files lack, and how they differ from a net's own."""

import pytest
import torch
from torch import nn

from common.training.checkpoints.foreign_weights import fitted, missing_counts, unwrapped


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


def test_what_does_not_fit_is_told_in_one_message() -> None:
    given = unwrapped({"module.a": torch.zeros(2), "module.c": torch.zeros(1)})
    expected = {"a": torch.zeros(3), "b": torch.zeros(1)}
    with pytest.raises(ValueError, match=r"^x does not fit: .*2.*2") as told:
        fitted(given, expected, "x does not fit", "Give another")
    said = str(told.value)
    for what in ("1 missing: b", "1 unexpected: c", "a is (2,), expected (3,)", "Give another"):
        assert what in said
