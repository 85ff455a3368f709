"""The Lightning module of gaze pretraining: Gaze360's task, so that a backbone can start there."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning import LightningModule, Trainer
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from common.evaluation.metrics import AngularError
from common.training.sample_loss import MeanLoss
from gazepose.nets.gaze360 import Gaze360
from gazepose.nets.pixels import normalise
from gazepose.originals.start_weights import InitPart, StartWeights
from gazepose.pretraining.datamodule import GazeBatch
from gazepose.training.losses import PinballLoss

_NO_ORIGINAL = "gaze pretraining makes a start for gazelstm and gazepose"


class GazePretrainingModule(LightningModule):
    """Trains a net to tell gaze angles with their uncertainty.

    Args:
        net: GazeLSTM with Gaze360's head.
        loss: of angles and uncertainty.
        optimizer: called with the parameters.
        scheduler: called with the optimizer; stepped once an epoch.
        init_checkpoint: weights a fresh training starts from; see `StartWeights`.
        init_part: ``backbone`` or ``all`` of them.
        channels_last: keep images in the channels-last memory format.

    Raises:
        ValueError: If `init_part` is unknown.
    """

    def __init__(
        self,
        net: Gaze360,
        loss: PinballLoss,
        optimizer: Callable[[Iterable[torch.nn.Parameter]], Optimizer],
        scheduler: Callable[[Optimizer], LRScheduler] | None = None,
        init_checkpoint: str | None = None,
        init_part: InitPart = "backbone",
        channels_last: bool = False,
    ) -> None:
        super().__init__()
        self._start = StartWeights(init_checkpoint, init_part)
        self.net = net.to(memory_format=torch.channels_last) if channels_last else net
        self.loss = loss
        self.train_loss = MeanLoss()
        self.val_error = AngularError()
        self.test_error = AngularError()
        self._optimizer = optimizer
        self._scheduler = scheduler

    def forward(self, batch: GazeBatch) -> tuple[Tensor, Tensor]:
        """Return gaze (B, 2) in radians, viewer frame, and its uncertainty (B, 1) in radians."""
        gaze, uncertainty = self.net(normalise(batch["clip"]))
        return gaze.float(), uncertainty.float()

    def training_step(self, batch: GazeBatch, batch_idx: int) -> Tensor:
        """Return the loss of a batch."""
        gaze, uncertainty = self(batch)
        losses = self.loss.of_samples(gaze, uncertainty, batch["gaze"])
        self.train_loss.update(*losses)
        num = len(batch["row"])
        self.log("train/loss", self.train_loss, on_epoch=True, on_step=False, batch_size=num)
        return losses.mean()

    def validation_step(self, batch: GazeBatch, batch_idx: int) -> None:
        """Update the validation metric."""
        self.val_error.update(self(batch)[0], batch["gaze"])
        num = len(batch["row"])
        self.log("val/angular_error_deg", self.val_error, prog_bar=True, batch_size=num)

    def test_step(self, batch: GazeBatch, batch_idx: int) -> None:
        """Update the test metric."""
        self.test_error.update(self(batch)[0], batch["gaze"])
        self.log("test/angular_error_deg", self.test_error, batch_size=len(batch["row"]))

    def configure_optimizers(self) -> Any:
        """Return the optimizer, and the scheduler if there is one."""
        optimizer = self._optimizer(self.net.parameters())
        if self._scheduler is None:
            return optimizer
        return {"optimizer": optimizer, "lr_scheduler": self._scheduler(optimizer)}

    def on_fit_start(self) -> None:
        """Take the weights a fresh training starts from."""
        self._start.fill(self.net, self.trainer)

    def adopt(self, datamodule: Any) -> None:
        """Nothing: angles need no ranges and no weights."""

    def import_checkpoint(self, path: Path, resumable_path: Path, trainer: Trainer) -> None:
        """Refuse: an original's file holds no state of a training.

        Raises:
            ValueError: Always; says what to type.
        """
        raise ValueError(
            f"ckpt_path={path}: only its own .ckpt goes on; to start from another's weights type "
            f"model.init_checkpoint={path}"
        )

    def export_checkpoint(self, checkpoint_path: Path, path: Path) -> None:
        """Refuse: see `load_original`."""
        raise ValueError(f"export={path}: {_NO_ORIGINAL}; give {checkpoint_path} to those")

    def load_original(self, path: Path, trained_on: str | None) -> dict[str, Any]:
        """Refuse: Gaze360's own file goes to the nets that start from it.

        Raises:
            ValueError: Always; says what to type.
        """
        raise ValueError(f"{_NO_ORIGINAL}: type model=gazelstm model.init_checkpoint={path}")
