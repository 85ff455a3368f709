"""Checkpoints as a trainer writes and reads them: whole, and at home wherever the run lies."""

import logging
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from builders.scored import fit_scored
from lightning_fabric.plugins.io.torch_io import TorchCheckpointIO
from pytorch_lightning import Trainer
from pytorch_lightning.callbacks import ModelCheckpoint
from pytorch_lightning.plugins.io import CheckpointIO

from common.training.best_checkpoint import BestCheckpoint
from common.training.checkpoints.lightning_io import WholeCheckpointIO
from common.training.checkpoints.reading import read_checkpoint

SCORES = [0.5, 0.9, 0.7]


def train(
    folder: Path, num_epochs: int, *, goes_on: bool = False, io: CheckpointIO | None = None
) -> tuple[Trainer, BestCheckpoint]:
    """Train as the suite does: the best checkpoint and the last one."""
    best = BestCheckpoint(
        folder, filename="best", monitor="score", mode="max", enable_version_counter=False
    )
    last = ModelCheckpoint(
        folder, filename="last", save_on_train_epoch_end=True, enable_version_counter=False
    )
    path = folder / "last.ckpt" if goes_on else None
    plugins = [io or WholeCheckpointIO()]
    return fit_scored(SCORES[:num_epochs], [best, last], path, plugins=plugins), best


def strings(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [found for pair in value.items() for item in pair for found in strings(item)]
    if isinstance(value, list | tuple):
        return [found for item in value for found in strings(item)]
    return [value] if isinstance(value, str) else []


def test_no_absolute_path_is_kept(tmp_path: Path) -> None:
    train(tmp_path, 2)
    for name in ("best", "last"):
        assert not any(
            str(tmp_path.parent) in found
            for found in strings(read_checkpoint(tmp_path / f"{name}.ckpt"))
        )


# Runs of before have Lightning's own checkpoints.
@pytest.mark.parametrize("io", [WholeCheckpointIO(), TorchCheckpointIO()])
@pytest.mark.parametrize("move", [Path.rename, shutil.copytree])
def test_a_moved_run_keeps_its_best_epoch(tmp_path: Path, io: CheckpointIO, move: Any) -> None:
    old, new = tmp_path / "old" / "checkpoints", tmp_path / "new" / "checkpoints"
    train(old, 2, io=io)
    move(old.parent, new.parent)
    _, best = train(new, 3, goes_on=True)
    assert best.best_model_path == str(new / "best.ckpt")
    assert float(best.best_model_score or 0) == pytest.approx(0.9)
    assert read_checkpoint(new / "best.ckpt")["epoch"] == 1
    assert read_checkpoint(new / "last.ckpt")["epoch"] == 2


def test_a_best_checkpoint_that_is_gone_is_replaced_and_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    train(tmp_path, 2)
    (tmp_path / "best.ckpt").unlink()
    with caplog.at_level(logging.WARNING):
        train(tmp_path, 3, goes_on=True)
    assert str(tmp_path / "best.ckpt") in caplog.text
    assert read_checkpoint(tmp_path / "best.ckpt")["epoch"] == 2


def test_a_damaged_best_checkpoint_is_told_before_training_goes_on(tmp_path: Path) -> None:
    train(tmp_path, 2)
    (tmp_path / "best.ckpt").write_bytes((tmp_path / "best.ckpt").read_bytes()[:1000])
    with pytest.raises(ValueError, match=r"best\.ckpt"):
        train(tmp_path, 3, goes_on=True)


def test_where_no_checkpoint_can_be_written_the_first_epoch_ends_the_training(
    tmp_path: Path,
) -> None:
    # Permissions do not keep out an administrator: a file lies where the folder should.
    (tmp_path / "checkpoints").write_text("")
    with pytest.raises(ValueError, match=r"best\.ckpt"):
        train(tmp_path / "checkpoints", 2)


def test_the_systems_temporary_folder_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    train(tmp_path / "run", 2)
    assert {path.name for path in (tmp_path / "run").iterdir()} == {"best.ckpt", "last.ckpt"}
