"""The part of a test's callback that does not ask what was tested."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from pytorch_lightning import Callback, LightningModule, Trainer


class OutputCollector(Callback):
    """Collects what test steps return; a line's own callback writes the files at the end.

    Args:
        output_dir: where the files go.
        model_key: the model's name, part of the files' names.
        trained_on: name of the training data set, part of the files' names.
    """

    def __init__(self, output_dir: str, model_key: str, trained_on: str) -> None:
        self._output_dir = Path(output_dir)
        self._model_key = model_key
        self._trained_on = trained_on
        self._outputs: list[dict[str, torch.Tensor]] = []

    def on_test_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Forget an earlier test.

        Raises:
            ValueError: If several processes test: each would write its share over the others'.
        """
        if trainer.world_size > 1:
            raise ValueError(
                f"got a test in {trainer.world_size} processes, expected one: type "
                "trainer.devices=1, or after a training on several devices "
                f"python predict.py run={self._output_dir.parent} split=test"
            )
        self._outputs = []

    def on_test_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Keep what a batch gave, on the CPU."""
        self._outputs.append({name: value.cpu() for name, value in outputs.items()})

    def _described(self, datamodule: Any) -> dict[str, Any]:
        """Return which model was tested on what, for a summary."""
        return {
            "model": self._model_key,
            "trained_on": self._trained_on,
            "tested_on": datamodule.name,
            "part": datamodule.test_part,
        }

    def _stem(self, datamodule: Any) -> str:
        """Return what the files' names begin with."""
        return f"{self._trained_on}_{datamodule.name}_{self._model_key}"
