from __future__ import annotations

import logging
from collections.abc import Sequence
from math import nan
from pathlib import Path

import pytest
import torch
from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning.callbacks import ModelCheckpoint
from torch import Tensor, nn

from common.training.best_checkpoint import BestCheckpoint

DATA = torch.utils.data.TensorDataset(torch.ones(2, 1))


class Scored(LightningModule):
    """Has a score given for every epoch."""

    def __init__(self, scores: Sequence[float]) -> None:
        super().__init__()
        self.net = nn.Linear(1, 1)
        self._scores = scores

    def training_step(self, batch: list[Tensor], batch_idx: int) -> Tensor:
        return self.net(batch[0]).mean()

    def validation_step(self, batch: list[Tensor], batch_idx: int) -> None:
        self.log("score", self._scores[self.current_epoch])

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.net.parameters(), lr=0.1)


def best_of(scores: Sequence[float], folder: Path) -> BestCheckpoint:
    best = BestCheckpoint(folder, filename="best", monitor="score", mode="max")
    trainer = Trainer(
        max_epochs=len(scores),
        accelerator="cpu",
        logger=False,
        callbacks=[best],
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
    )
    loaders = [torch.utils.data.DataLoader(DATA) for _ in range(2)]
    trainer.fit(Scored(scores), *loaders)
    return best


@pytest.mark.parametrize(("scores", "best"), [([nan, 0.2, 0.5, 0.4], 0.5), ([0.2, nan], 0.2)])
def test_of_finite_scores_the_best_is_kept(
    scores: list[float], best: float, tmp_path: Path
) -> None:
    found = best_of(scores, tmp_path)
    assert float(found.best_model_score or 0) == pytest.approx(best)
    epoch = torch.load(found.best_model_path, weights_only=True)["epoch"]
    assert scores[epoch] == best


def test_a_run_begun_with_lightnings_own_checkpoints_goes_on(tmp_path: Path) -> None:
    own, lightnings = (
        kind(dirpath=tmp_path, monitor="score", mode="max")
        for kind in (BestCheckpoint, ModelCheckpoint)
    )
    assert own.state_key == lightnings.state_key


def test_where_no_score_is_finite_there_is_none(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        found = best_of([nan, nan], tmp_path)
    assert (found.best_model_path, found.best_model_score) == ("", None)
    assert list(tmp_path.iterdir()) == []
    assert "score was never a finite number: no weights are the best" in caplog.text
