"""What all Lightning modules share: net, losses, optimizer and schedule."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

import torch
from pytorch_lightning import LightningModule
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler
from torchmetrics import Metric

from common.training.sample_loss import MeanLoss, SampleLoss, SampleLosses

MakeOptimizer = Callable[[Iterable[nn.Parameter]], Optimizer]
MakeScheduler = Callable[[Optimizer], LRScheduler]
Outputs = list[dict[str, Tensor]]


class SuiteModule(LightningModule, ABC):
    """Base of the Lightning modules; a line says what its losses, metrics and originals are.

    Args:
        net: what is trained.
        loss: of its samples.
        optimizer: called with the parameters that are trained.
        scheduler: called with the optimizer; stepped once an epoch.
        channels_last: keep images in the channels-last memory format; faster with bf16.

    Attributes:
        takes_calibration: whether samples of a person's own may calibrate it.
    """

    takes_calibration: ClassVar[bool] = False

    def __init__(
        self,
        net: Any,
        loss: SampleLoss,
        optimizer: MakeOptimizer,
        scheduler: MakeScheduler | None,
        channels_last: bool,
    ) -> None:
        super().__init__()
        self.net = net.to(memory_format=torch.channels_last) if channels_last else net
        self.loss = loss
        self.train_loss = MeanLoss()
        self._outputs: Outputs = []
        self._optimizer = optimizer
        self._scheduler = scheduler

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        """Return the loss of a batch."""
        losses = self._losses(self(batch), batch)
        self._measure("train/loss", self.train_loss, batch, *losses, on_epoch=True, on_step=False)
        return losses.mean()

    def configure_optimizers(self) -> Any:
        """Return the optimizer, and the scheduler if there is one."""
        optimizer = self._optimizer(self._trained())
        if self._scheduler is None:
            return optimizer
        return {"optimizer": optimizer, "lr_scheduler": self._scheduler(optimizer)}

    def adopt(self, datamodule: Any) -> None:
        """Take from the training data what the module needs, e.g. ranges or class weights."""

    def on_validation_start(self) -> None:
        """Forget what was returned before."""
        self._outputs = []

    on_test_start = on_validation_start

    def on_validation_batch_end(
        self, outputs: Any, batch: Any, batch_idx: int, dataloader_idx: int = 0
    ) -> None:
        """Keep what a step returned."""
        if outputs is not None:
            # Where they are: a copy to the CPU would wait for the device at every step.
            kept: Mapping[str, Tensor] = outputs
            self._outputs.append({name: value.detach() for name, value in kept.items()})

    on_test_batch_end = on_validation_batch_end

    @property
    def outputs(self) -> Outputs:
        """Return what the steps of the latest validation or test returned, on the CPU."""
        self._outputs = [
            {name: value.cpu() for name, value in kept.items()} for kept in self._outputs
        ]
        return self._outputs

    @abstractmethod
    def _losses(self, predicted: Any, batch: Any) -> SampleLosses:
        """Return the losses of what `forward` gave for a batch."""

    def _measure(self, name: str, metric: Metric, batch: Any, *values: Any, **options: Any) -> None:
        """Show values of a batch to a metric, and log that; options are of Lightning's `log`."""
        metric.update(*values)
        self.log(name, metric, batch_size=len(batch["row"]), **options)

    def _trained(self) -> Iterable[nn.Parameter]:
        return self.net.parameters()
