"""The part of a test's callback that does not ask what was tested."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytorch_lightning import Callback, LightningModule, Trainer
from pytorch_lightning.callbacks import ModelCheckpoint

from common.config.checks import check_file_name


class ResultFiles(Callback):
    """Base of the callbacks that write what a test gave.

    Args:
        output_dir: where the files go.
        model_key: the model's name, part of the files' names.
        trained_on: name of the training data set, part of the files' names.
        chosen_by: the metric that the tested checkpoint is the best by, e.g. ``val/map``; None if
            it was not chosen, or by this trainer, which knows.
    """

    def __init__(
        self, output_dir: str, model_key: str, trained_on: str, chosen_by: str | None = None
    ) -> None:
        self._output_dir = Path(output_dir)
        self._model_key = model_key
        self._trained_on = trained_on
        self._chosen_by = chosen_by

    def on_test_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Refuse a test in several processes: each would write its share over the others'.

        Raises:
            ValueError: If so.
        """
        if trainer.world_size > 1:
            raise ValueError(
                f"got a test in {trainer.world_size} processes, expected one: type "
                "trainer.devices=1, or after a training on several devices "
                f"python predict.py run={self._output_dir.parent} split=test"
            )

    def _described(self, trainer: Trainer) -> dict[str, Any]:
        """Return which model was tested on what, for a summary; a ``note`` on what it is worth."""
        datamodule: Any = trainer.datamodule
        described = {
            "model": self._model_key,
            "trained_on": self._trained_on,
            "tested_on": datamodule.name,
            "part": datamodule.test_part,
        }
        metric = self._chosen_by or _metric_of_choice(trainer)
        is_own_data = datamodule.name == self._trained_on
        if is_own_data and metric is not None and metric.startswith(f"{datamodule.test_part}/"):
            described["note"] = f"the checkpoint was chosen by {metric} on samples of this part"
        return described

    def _stem(self, datamodule: Any) -> str:
        """Return what the files' names begin with."""
        stem = f"{self._trained_on}_{datamodule.name}_{self._model_key}"
        check_file_name(stem)
        return stem


def headline(
    stem: str,
    measured: str,
    summary: Mapping[str, Any],
    baseline_names: Mapping[str, str],
    num_digits: int,
) -> str:
    """Return a test's result in one line, beside what needs no net, and what it is worth.

    Args:
        stem: what the names of its files begin with.
        measured: the result.
        summary: holds ``baselines``, and a ``note`` where there is one.
        baseline_names: what the baselines are called.
        num_digits: of the baselines.
    """
    values = {name: summary["baselines"].get(key) for key, name in baseline_names.items()}
    others = ", ".join(f"{n} {v:.{num_digits}f}" for n, v in values.items() if v is not None)
    note = f" ({summary['note']})" if summary.get("note") else ""
    return f"{stem}: {measured}; without a net: {others}{note}"


def _metric_of_choice(trainer: Trainer) -> str | None:
    """Return what the trainer chose the tested checkpoint by; None of weights as they were."""
    callback = trainer.checkpoint_callback
    is_chosen = isinstance(callback, ModelCheckpoint) and trainer.ckpt_path is not None
    return callback.monitor if is_chosen else None
