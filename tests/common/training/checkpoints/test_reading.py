"""Loading weights: strict, tensors and plain values only."""

import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from builders.file_contents import no_space
from pytorch_lightning import LightningModule
from torch import nn

from common.training.checkpoints.reading import (
    load_module,
    read_checkpoint,
    save_checkpoint,
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
    shapes = r"x\.ckpt .* net\.weight is \(1, 3\), expected \(1, 4\).*run=RUN"
    with pytest.raises(ValueError, match=shapes):
        load_module(Small(4, "other"), tmp_path / "x.ckpt")


@pytest.mark.parametrize("weights", [None, 3, {"net.weight": 3}])
def test_what_holds_no_weights_is_named(tmp_path: Path, weights: Any) -> None:
    torch.save({"state_dict": weights}, tmp_path / "x.ckpt")
    with pytest.raises(ValueError, match=r"x\.ckpt .*model=NAME"):
        load_module(Small(3, "other"), tmp_path / "x.ckpt")


def test_a_file_of_something_else_is_named(tmp_path: Path) -> None:
    torch.save([torch.zeros(1)], tmp_path / "x.ckpt")
    with pytest.raises(ValueError, match=r"x\.ckpt holds a list, expected a checkpoint's dict"):
        read_checkpoint(tmp_path / "x.ckpt")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"x\.ckpt"):
        load_module(Small(3, "other"), tmp_path / "x.ckpt")


class Malicious:
    """Makes a folder when unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


def test_code_in_a_checkpoint_is_not_run(tmp_path: Path) -> None:
    harmful, path = Malicious(tmp_path / "made"), tmp_path / "x.ckpt"
    torch.save({"state_dict": {}, "x": harmful}, path)
    with pytest.raises(ValueError, match=r"x\.ckpt"):
        read_checkpoint(path)
    path.write_bytes(pickle.dumps(harmful, protocol=2))
    with pytest.raises(ValueError, match=r"x\.ckpt"):
        read_checkpoint(path)
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


@pytest.fixture(scope="module")
def content() -> dict[str, Any]:
    net = Small(3, "said")
    return {"state_dict": net.state_dict(), "epoch": 3, "loops": {"rates": [0.1, 0.2]}}


@pytest.fixture(scope="module")
def written(content: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("written") / "x.ckpt"
    save_checkpoint(content, path)
    return path.read_bytes()


def flipped_bits(written: bytes) -> list[int]:
    """Some of all, and all of a record's entry in the list at the archive's end."""
    some = np.random.default_rng(0).choice(8 * len(written), 600, replace=False)
    entry = written.index(b"PK\x01\x02", written.rindex(b"PK\x03\x04"))
    return [*some.tolist(), *range(8 * entry, 8 * (entry + 46))]


def test_no_flipped_bit_gives_other_weights(
    content: dict[str, Any], written: bytes, tmp_path: Path
) -> None:
    path, refusals = tmp_path / "x.ckpt", list[str]()
    for bit in flipped_bits(written):
        damaged = bytearray(written)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(damaged)
        try:
            found = read_checkpoint(path)
        except ValueError as error:
            refusals.append(str(error))
        else:
            torch.testing.assert_close(found, content, rtol=0, atol=0)
    assert len(refusals) > 300
    assert all("x.ckpt" in said for said in refusals)


def test_a_cut_checkpoint_is_damaged(written: bytes, tmp_path: Path) -> None:
    for length in (4, 4096 % len(written), len(written) - 1):
        (tmp_path / "x.ckpt").write_bytes(written[:length])
        with pytest.raises(ValueError, match=r"x\.ckpt"):
            read_checkpoint(tmp_path / "x.ckpt")


def test_a_file_written_without_checksums_is_read(content: dict[str, Any], tmp_path: Path) -> None:
    torch.serialization.set_crc32_options(False)
    try:
        torch.save(content, tmp_path / "x.pth")
    finally:
        torch.serialization.set_crc32_options(True)
    torch.testing.assert_close(read_checkpoint(tmp_path / "x.pth"), content, rtol=0, atol=0)


def test_a_file_of_before_zip_archives_is_read(content: dict[str, Any], tmp_path: Path) -> None:
    torch.save(content, tmp_path / "x.pth", _use_new_zipfile_serialization=False)
    torch.testing.assert_close(read_checkpoint(tmp_path / "x.pth"), content, rtol=0, atol=0)


def test_a_full_disk_leaves_the_checkpoint_that_was_there(
    content: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_checkpoint(content, tmp_path / "x.ckpt")
    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(ValueError, match=r"x\.ckpt.*No space left"):
        save_checkpoint({"epoch": 4}, tmp_path / "x.ckpt")
    assert read_checkpoint(tmp_path / "x.ckpt")["epoch"] == 3
    assert [path.name for path in tmp_path.iterdir()] == ["x.ckpt"]


def test_what_reads_back_otherwise_is_not_kept(
    content: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = Path.write_bytes
    monkeypatch.setattr(Path, "write_bytes", lambda path, data: write(path, data[:1000]))
    with pytest.raises(ValueError, match=r"x\.ckpt"):
        save_checkpoint(content, tmp_path / "x.ckpt")
    assert list(tmp_path.iterdir()) == []
