"""A training's metrics, which a restart would begin without."""

from typing import Any

from pytorch_lightning import Callback, LightningModule, Trainer
from pytorch_lightning.trainer.states import TrainerFn
from torch import Tensor

_KEY = "metrics"


class KeptMetrics(Callback):
    """Keeps a trainer's metrics in its checkpoints, and gives them to a training that goes on.

    Lightning 2.6 does not: a training that had reached its last epoch would end without any, and
    one whose last epochs have no validation without those of validation.
    """

    def __init__(self) -> None:
        self._restored: dict[str, Tensor] = {}

    def on_save_checkpoint(
        self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Save all metrics there are."""
        checkpoint[_KEY] = {
            name: value.detach().cpu()
            for name, value in trainer.callback_metrics.items()
            if isinstance(value, Tensor)
        }

    def on_load_checkpoint(
        self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Take those of a training; a checkpoint of before has none."""
        if trainer.state.fn == TrainerFn.FITTING:
            self._restored = checkpoint.get(_KEY, {})

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Give them to the trainer, which has forgotten its own only now."""
        restored = {name: value.to(pl_module.device) for name, value in self._restored.items()}
        trainer.callback_metrics.update(restored)
