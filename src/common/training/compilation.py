"""A net that trains by torch.compile."""

from pytorch_lightning import Callback, LightningModule, Trainer


class CompiledNet(Callback):
    """Compiles a module's net where a training begins; names in checkpoints stay as they are.

    The net is compiled at its first batch, and again for batches of other sizes.

    Args:
        backend: as `torch.compile` takes it, as is the next.
        mode: of the backend ``inductor``.
    """

    def __init__(self, backend: str = "inductor", mode: str | None = None) -> None:
        self._options = {"backend": backend, "mode": mode}

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Compile what a training calls."""
        if stage == "fit":
            pl_module.net.compile(**self._options)
