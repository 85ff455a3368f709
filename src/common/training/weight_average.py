"""The running mean of a training's weights, which often tests better than any of them."""

from typing import Any

import torch
from pytorch_lightning import Callback, LightningModule, Trainer
from pytorch_lightning.trainer.states import TrainerFn
from torch import Tensor
from torch.optim.swa_utils import get_ema_multi_avg_fn

TRAINED = "trained_state_dict"


class WeightAverage(Callback):
    """Keeps an exponential moving average (EMA) of all weights and buffers that a checkpoint has.

    Validation sees it, and so does what depends on validation; checkpoints hold it as their
    ``state_dict``, beside the trained weights that a resumed run goes on with. After the training
    the module has it.

    Not Lightning 2.6's: that one gives a test which follows a training the trained weights, and
    fails where a buffer grows, as that of `gazepose.nets.position.SinePosition`.

    Args:
        decay: share of the average that stays at each optimizer step, in [0, 1). During the first
            steps it is (1 + n) / (10 + n) if that is less, so that the start is soon forgotten.

    Raises:
        ValueError: If the decay is out of range.
    """

    def __init__(self, decay: float = 0.999) -> None:
        if not 0 <= decay < 1:
            raise ValueError(
                f"decay is {decay}, expected a share from 0 up to, not including, 1: type "
                "callbacks.weight_average.decay=0.999"
            )
        self._decay = decay
        self._num_steps = 0
        self._global_step = 0
        self._average: dict[str, Tensor] = {}
        self._trained: dict[str, Tensor] = {}

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Begin with the weights as they are, or with the average of a checkpoint."""
        self._global_step = trainer.global_step
        average = self._average or _copied(pl_module)
        self._average = {name: value.to(pl_module.device) for name, value in average.items()}

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Take the weights of an optimizer step into the average."""
        if trainer.global_step == self._global_step:
            return  # gradients are being accumulated
        self._global_step = trainer.global_step
        decay = min(self._decay, (1 + self._num_steps) / (10 + self._num_steps))
        self._num_steps += 1
        weights = pl_module.state_dict()
        floating = [name for name, value in weights.items() if value.is_floating_point()]
        # All at once: on a GPU some hundred kernels would take longer to start than to run.
        average = get_ema_multi_avg_fn(decay)
        average([self._average[name] for name in floating], [weights[name] for name in floating], 0)
        for name in weights.keys() - floating:
            self._average[name].copy_(weights[name])

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Let validation during a training see the average."""
        if trainer.state.fn == TrainerFn.FITTING and self._average:
            self._trained = _copied(pl_module)
            pl_module.load_state_dict(self._average)

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Go on training where the training was."""
        if self._trained:
            pl_module.load_state_dict(self._trained)
            self._trained = {}

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Leave the average in the module, also where no epoch was left to train."""
        pl_module.load_state_dict(self._average)

    def state_dict(self) -> dict[str, Any]:
        """Return how many steps the average knows."""
        return {"num_steps": self._num_steps}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take how many steps the average knows."""
        self._num_steps = state_dict["num_steps"]

    def on_save_checkpoint(
        self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Save the average as the weights, and the trained ones beside it."""
        checkpoint[TRAINED] = checkpoint["state_dict"]
        checkpoint["state_dict"] = self._average

    def on_load_checkpoint(
        self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Go on with both; a test takes the average, and a run without one begins it here."""
        if trainer.state.fn == TrainerFn.FITTING and TRAINED in checkpoint:
            self._average = checkpoint["state_dict"]
            pl_module.load_state_dict(checkpoint[TRAINED])


def _copied(module: LightningModule) -> dict[str, Tensor]:
    # Under inference mode a plain copy could never be trained on.
    with torch.inference_mode(False):
        return {name: value.detach().clone() for name, value in module.state_dict().items()}
