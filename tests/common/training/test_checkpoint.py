"""Loading weights: strict, tensors and plain values only."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from pytorch_lightning import LightningModule
from torch import nn

from common.training.checkpoint import (
    check_resumable,
    load_module,
    missing_counts,
    read_checkpoint,
)


class Small(LightningModule):
    """A module that saves a word beside its weights."""

    def __init__(self, width: int, word: str) -> None:
        super().__init__()
        self.net = nn.Linear(width, 1)
        self.word = word

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["word"] = self.word

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self.word = checkpoint["word"]


def save(module: Small, path: Path) -> None:
    checkpoint: dict[str, Any] = {"state_dict": module.state_dict()}
    module.on_save_checkpoint(checkpoint)
    torch.save(checkpoint, path)


def test_weights_and_what_lies_beside_them_come_back(tmp_path: Path) -> None:
    saved, loaded = Small(3, "said"), Small(3, "other")
    save(saved, tmp_path / "x.ckpt")
    load_module(loaded, tmp_path / "x.ckpt")
    torch.testing.assert_close(loaded.net.weight, saved.net.weight, rtol=0, atol=0)
    assert loaded.word == "said"


def test_weights_of_another_net_are_refused(tmp_path: Path) -> None:
    save(Small(3, "said"), tmp_path / "x.ckpt")
    with pytest.raises(ValueError, match=r"x\.ckpt does not fit this net.*run=RUN"):
        load_module(Small(4, "other"), tmp_path / "x.ckpt")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no checkpoint .*x\.ckpt: train it first"):
        load_module(Small(3, "other"), tmp_path / "x.ckpt")


class Malicious:
    """Makes a folder when unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


def test_code_in_a_checkpoint_is_not_run(tmp_path: Path) -> None:
    torch.save({"state_dict": {}, "x": Malicious(tmp_path / "made")}, tmp_path / "x.ckpt")
    with pytest.raises(ValueError, match="cannot be read as tensors and plain values"):
        read_checkpoint(tmp_path / "x.ckpt")
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("content", [b"", b"no checkpoint", pickle.dumps([1], 2)])
def test_a_damaged_file_is_a_users_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.ckpt").write_bytes(content)
    with pytest.raises(ValueError, match=r"x\.ckpt"):
        load_module(Small(3, "other"), tmp_path / "x.ckpt")


def test_an_originals_file_is_told_from_ours(tmp_path: Path) -> None:
    torch.save({"epoch": 3, "model_state_dict": {}}, tmp_path / "x.pth")
    with pytest.raises(ValueError, match=r"x\.pth .*model=NAME checkpoint=FILE\.pth"):
        load_module(Small(3, "other"), tmp_path / "x.pth")


def test_weights_alone_are_nothing_to_go_on_from(tmp_path: Path) -> None:
    save(Small(3, "said"), tmp_path / "x.ckpt")
    with pytest.raises(ValueError, match=r"ckpt_path=.*x\.ckpt holds weights only"):
        check_resumable(tmp_path / "x.ckpt", [])


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
