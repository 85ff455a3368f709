"""The checkpoint with the best validation."""

import logging

from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning.callbacks import ModelCheckpoint
from torch import Tensor

LOG = logging.getLogger(__name__)


class BestCheckpoint(ModelCheckpoint):
    """Lightning's, of finite scores only.

    Lightning 2.6 keeps the first weights as the best ones where the metric is not defined, as that
    of a validation part with one class.
    """

    @property
    def state_key(self) -> str:
        """Name the state in checkpoints as Lightning's own: runs begun with that can go on."""
        return super().state_key.replace(type(self).__name__, ModelCheckpoint.__name__, 1)

    def check_monitor_top_k(self, trainer: Trainer, current: Tensor | None = None) -> bool:
        """Return whether a score is among the best; one that is not finite never is."""
        is_defined = current is not None and bool(current.isfinite())
        return is_defined and super().check_monitor_top_k(trainer, current)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Say so if there is no best checkpoint."""
        super().on_train_end(trainer, pl_module)
        was_asked = self.monitor in trainer.callback_metrics
        if was_asked and not self.best_model_path and trainer.is_global_zero:
            LOG.warning("%s was never a finite number: no weights are the best", self.monitor)
