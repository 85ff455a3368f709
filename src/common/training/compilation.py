"""A net that trains by torch.compile."""

from __future__ import annotations

from pytorch_lightning import Callback, LightningModule, Trainer


class CompiledNet(Callback):
    """Compiles a module's net where a training begins; names in checkpoints stay as they are.

    The net is compiled at its first batch, and again for batches of other sizes.

    Args:
        mode: as `torch.compile` takes it.
    """

    def __init__(self, mode: str = "default") -> None:
        self._mode = mode

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Compile what a training calls."""
        if stage == "fit":
            pl_module.net.compile(mode=self._mode)
