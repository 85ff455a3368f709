"""The only place that loads weights of this suite's own checkpoints; what old files lack."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytorch_lightning
import torch
from pytorch_lightning import Callback, LightningModule, Trainer
from torch import Tensor

from common.atomic import partial_path
from common.training.weight_average import TRAINED, WeightAverage

UNCOUNTED = "count of batches, which no file from before PyTorch 0.4.1 has: taken as 0"
_NAME = "num_batches_tracked"
# What even the oldest batch norms have.
_ALWAYS = "running_mean"


def load_module(module: LightningModule, path: Path) -> None:
    """Load a Lightning checkpoint's weights, and what the module saved beside them; strict.

    Raises:
        ValueError: If there is no such checkpoint, or its weights do not fit the net.
    """
    checkpoint = read_checkpoint(path)
    if "state_dict" not in checkpoint:
        raise ValueError(
            f"{path} is no checkpoint of this suite; an original's is given as model=NAME "
            "checkpoint=FILE.pth, without run="
        )
    try:
        module.load_state_dict(checkpoint["state_dict"])
    except RuntimeError as error:
        raise ValueError(
            f"{path} does not fit this net; use the config it was trained with (predict.py "
            f"run=RUN does): {error}"
        ) from error
    module.on_load_checkpoint(checkpoint)


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Return a checkpoint's content; loads tensors and plain values only, never code.

    Raises:
        ValueError: If there is no such file, or it holds anything else.
    """
    if not path.is_file():
        raise ValueError(f"no checkpoint {path}: train it first, or give another file")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError) as error:
        raise ValueError(f"{path} cannot be read as tensors and plain values: {error}") from error
    if not isinstance(content, dict):
        raise ValueError(f"{path} holds a {type(content).__name__}, expected a checkpoint's dict")
    return content


def check_resumable(path: Path, callbacks: Iterable[Callback]) -> None:
    """Refuse to go on from a checkpoint that the training would not go on from as it was.

    From one that was saved inside an epoch Lightning 2.6 would train on that epoch's first batches
    again, in the place of its last ones. From one with a `WeightAverage`, a training without would
    train the average by the optimizer of the trained weights.

    Args:
        path: a Lightning checkpoint.
        callbacks: of the training.

    Raises:
        ValueError: If so, or if it holds no state of a training.
    """
    checkpoint = read_checkpoint(path)
    loops = checkpoint.get("loops")
    if loops is None:
        raise ValueError(f"ckpt_path={path} holds weights only, no state of a training to go on")
    if TRAINED in checkpoint and not any(isinstance(its, WeightAverage) for its in callbacks):
        raise ValueError(
            f"ckpt_path={path} is of a training with an average of the weights, which only such a "
            "training goes on from: type extras=[ema], beside what else extras= names"
        )
    progress = loops["fit_loop"]["epoch_progress"]["current"]
    if progress["processed"] < progress["started"]:
        last = path.with_name("last.ckpt")
        instead = f"type ckpt_path={last}" if path != last else "take another"
        raise ValueError(
            f"ckpt_path={path} was saved inside an epoch, whose batches would be trained on twice: "
            f"{instead}, saved where an epoch ended"
        )


def write_resumable(
    path: Path,
    module: LightningModule,
    trainer: Trainer,
    *,
    num_epochs_done: int,
    num_steps_done: int,
    optimizer_state: Mapping[str, Any],
    scheduler_state: Mapping[str, Any],
) -> None:
    """Write training state that came from elsewhere as a checkpoint Lightning resumes from.

    Args:
        path: where the checkpoint goes.
        module: holds the weights already.
        trainer: a fresh one; gives the form of the loops' state.
        num_epochs_done: whole epochs behind.
        num_steps_done: optimizer steps behind.
        optimizer_state: of the module's only optimizer.
        scheduler_state: of its only scheduler, after its step of the last epoch.
    """
    loops = copy.deepcopy(trainer.fit_loop.state_dict())
    for progress in loops["epoch_progress"].values():
        progress.update(dict.fromkeys(progress, num_epochs_done))
    steps = loops["epoch_loop.automatic_optimization.optim_progress"]["optimizer"]["step"]
    steps["total"].update(dict.fromkeys(steps["total"], num_steps_done))
    checkpoint: dict[str, Any] = {
        "epoch": num_epochs_done - 1,  # as Lightning: the epoch that ended last
        "global_step": num_steps_done,
        "pytorch-lightning_version": pytorch_lightning.__version__,
        "state_dict": module.state_dict(),
        "loops": {"fit_loop": loops},
        "callbacks": {},
        "optimizer_states": [dict(optimizer_state)],
        "lr_schedulers": [dict(scheduler_state)],
    }
    module.on_save_checkpoint(checkpoint)
    with partial_path(path) as partial:
        torch.save(checkpoint, partial)


def missing_counts(given: Mapping[str, Any], expected: Iterable[str]) -> dict[str, Tensor]:
    """Return zeros for the counts a state dict lacks, as PyTorch's strict load takes them.

    A norm of which the state dict has nothing at all is left out: it is missing altogether.

    Args:
        given: the state dict.
        expected: the net's keys, in the state dict's names.
    """
    return {
        key: torch.zeros((), dtype=torch.long)
        for key in expected
        if key.endswith(_NAME)
        and key not in given
        and f"{key.removesuffix(_NAME)}{_ALWAYS}" in given
    }
