from pathlib import Path
from typing import Any

import pytest
import torch
from builders.scored import fit_scored
from pytorch_lightning.callbacks import ModelCheckpoint

from common.training.checkpoints.kept_metrics import KeptMetrics
from common.training.checkpoints.lightning_io import WholeCheckpointIO


def metrics_of(
    scores: list[float], folder: Path, ckpt_path: Path | None = None, **options: Any
) -> dict[str, Any]:
    last = ModelCheckpoint(
        folder, filename="last", save_on_train_epoch_end=True, enable_version_counter=False
    )
    callbacks, plugins = [KeptMetrics(), last], [WholeCheckpointIO()]
    trainer = fit_scored(scores, callbacks, ckpt_path, plugins=plugins, **options)
    return dict(trainer.callback_metrics)


def test_a_training_resumed_after_its_last_epoch_has_its_metrics(tmp_path: Path) -> None:
    unbroken = metrics_of([0.5, 0.9], tmp_path)
    assert set(unbroken) == {"loss", "score"}
    resumed = metrics_of([0.5, 0.9], tmp_path, tmp_path / "last.ckpt")
    torch.testing.assert_close(resumed, unbroken, rtol=0, atol=0)


@pytest.mark.parametrize("num_epochs", [2, 3])
def test_an_epoch_without_validation_keeps_the_score_of_the_one_before(
    tmp_path: Path, num_epochs: int
) -> None:
    scores, option = [0.5, 0.9, 0.7], {"check_val_every_n_epoch": 2}
    unbroken = metrics_of(scores, tmp_path / "unbroken", **option)
    assert float(unbroken["score"]) == pytest.approx(0.9)
    metrics_of(scores[:num_epochs], tmp_path / "resumed", **option)
    resumed = metrics_of(scores, tmp_path / "resumed", tmp_path / "resumed/last.ckpt", **option)
    torch.testing.assert_close(resumed, unbroken, rtol=0, atol=0)
