"""Validation where an epoch ends, whatever the number of batches between validations."""

from typing import Any

from pytorch_lightning import Callback, LightningModule, Trainer


class EpochEndValidation(Callback):
    """Validates after the last batch of an epoch, too, and never twice at one place.

    Lightning 2.6 with ``val_check_interval=N`` validates after every N batches of an epoch only:
    unless N divides it, its last batches count for no validation, and the final weights can never
    be the best ones. Epochs that ``check_val_every_n_epoch`` leaves out stay without one; if that
    is None, intervals run on over the ends of epochs and are left alone, and so is an interval of
    time.
    """

    def __init__(self) -> None:
        self._interval: float | None = None

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Let the decision that follows find an interval which ends here."""
        interval, is_by_epoch = trainer.val_check_batch, trainer.check_val_every_n_epoch is not None
        if trainer.is_last_batch and is_by_epoch and interval is not None:
            self._interval, trainer.val_check_batch = interval, 1

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Give the next epoch its interval."""
        if self._interval is not None:
            trainer.val_check_batch = self._interval
