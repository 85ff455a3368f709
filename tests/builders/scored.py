"""A net of one weight whose validations have the scores that are given: seconds less than a run."""

from collections.abc import Sequence
from typing import Any

import torch
from pytorch_lightning import Callback, LightningModule, Trainer
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

_DATA = TensorDataset(torch.ones(2, 1))


class Scored(LightningModule):
    """Has a score given for every epoch, and a loss of its own."""

    def __init__(self, scores: Sequence[float]) -> None:
        super().__init__()
        self.net = nn.Linear(1, 1)
        self._scores = scores

    def training_step(self, batch: list[Tensor], batch_idx: int) -> Tensor:
        loss = self.net(batch[0]).mean()
        self.log("loss", loss, on_step=False, on_epoch=True)
        return loss

    def validation_step(self, batch: list[Tensor], batch_idx: int) -> None:
        self.log("score", self._scores[self.current_epoch])

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.net.parameters(), lr=0.1)


def fit_scored(
    scores: Sequence[float], callbacks: Sequence[Callback], ckpt_path: Any = None, **options: Any
) -> Trainer:
    """Train for as many epochs as there are scores, on from a checkpoint if one is given."""
    trainer = Trainer(
        max_epochs=len(scores),
        accelerator="cpu",
        logger=False,
        callbacks=list(callbacks),
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        **options,
    )
    torch.manual_seed(0)
    loaders = [DataLoader(_DATA) for _ in range(2)]
    trainer.fit(Scored(scores), *loaders, ckpt_path=ckpt_path, weights_only=ckpt_path and True)
    return trainer
