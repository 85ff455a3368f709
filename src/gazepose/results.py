"""What a test leaves behind: the callback that collects scores and has them written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import torch
from pytorch_lightning import Callback, LightningModule, Trainer

from gazepose.predictions import predictions_table
from gazepose.result_files import write_results
from gazepose.smoothing import TrackSmoothing


class LamTestResults(Callback):
    """Collects the scores of a test and writes them in the order of the data.

    The files are those of `gazepose.result_files.write_results`. They hold smoothed scores; the
    metric that the module logs is of the scores as they came from the net.

    Args:
        output_dir: where the files go.
        model_key: the model's name, part of the files' names.
        trained_on: name of the training data set, part of the files' names.
        smoothing: of the scores over a track.
    """

    def __init__(
        self, output_dir: str, model_key: str, trained_on: str, smoothing: TrackSmoothing
    ) -> None:
        self._output_dir = Path(output_dir)
        self._model_key = model_key
        self._trained_on = trained_on
        self._smoothing = smoothing
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
        """Keep a batch's scores."""
        self._outputs.append({name: value.cpu() for name, value in outputs.items()})

    def on_test_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Write predictions, numbers, slices and figure."""
        datamodule = trainer.datamodule
        predictions = self._smoothing(predictions_table(self._outputs, datamodule.table))
        conditions = datamodule.test_conditions()
        described = {
            "model": self._model_key,
            "trained_on": self._trained_on,
            "tested_on": datamodule.name,
            "part": datamodule.test_part,
            "stride": conditions["stride"],
            "protocol": {
                "landmark_source": _sources(predictions["landmark_source"]),
                "head_pose_source": _sources(predictions["head_pose_source"]),
                **conditions,
                "smoothing": self._smoothing.description,
            },
        }
        stem = f"{self._trained_on}_{datamodule.name}_{self._model_key}"
        write_results(predictions, described, self._output_dir, stem)


def _sources(column: pl.Series) -> str | None:
    """Return what made the rows, e.g. ``mesh``, or ``mesh+pose`` of a mixed table."""
    names = column.drop_nulls().unique().sort()
    return "+".join(names) or None
