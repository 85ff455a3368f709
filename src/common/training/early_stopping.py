"""The end of a training that gets no better."""

from typing import Any

from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning.callbacks import EarlyStopping
from pytorch_lightning.callbacks.early_stopping import EarlyStoppingReason


class EarlyStop(EarlyStopping):
    """Lightning's, which a resumed run obeys like one that was never interrupted.

    It ends a training where an epoch does, from where the training can go on, and only if no later
    validation of that epoch was a better one.

    Lightning 2.6 forgets on a restart that the training had ended, and takes the patience of the
    checkpoint for the one that was asked for.

    Args:
        monitor: the metric of validation.
        mode: ``min`` or ``max``: what is better.
        patience: validations without a better one, 1 or more.
        min_delta: a change no larger than this is no better one.

    Raises:
        ValueError: If the patience or the change makes no sense.
    """

    def __init__(self, monitor: str, mode: str, patience: int = 3, min_delta: float = 0.0) -> None:
        where = "callbacks.early_stopping"
        if patience < 1:
            raise ValueError(f"{where}.patience is {patience}, expected 1 validation or more")
        if min_delta < 0:
            raise ValueError(f"{where}.min_delta is {min_delta}, expected 0 or more")
        super().__init__(
            monitor, min_delta, patience, verbose=True, mode=mode, check_on_train_epoch_end=False
        )

    @property
    def is_over(self) -> bool:
        """Whether the training has ended, by the patience asked for."""
        has_ended = self.stopping_reason != EarlyStoppingReason.NOT_STOPPED
        is_patient = self.stopping_reason == EarlyStoppingReason.PATIENCE_EXHAUSTED
        return has_ended and not (is_patient and self.wait_count < self.patience)

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Train no further if the training had ended before the restart."""
        trainer.should_stop = trainer.should_stop or self.is_over

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Judge a validation; the epoch goes on."""
        should_stop = trainer.should_stop
        super().on_validation_end(trainer, pl_module)
        trainer.should_stop = should_stop

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Train no further if the training is over."""
        is_over = trainer.strategy.reduce_boolean_decision(self.is_over, all=False)
        trainer.should_stop = trainer.should_stop or is_over

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take the state of a checkpoint, but for the patience."""
        super().load_state_dict({**state_dict, "patience": self.patience})
