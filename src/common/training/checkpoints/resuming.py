"""What a training goes on from: the newest checkpoint that is whole, or an original's state."""

import copy
import logging
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytorch_lightning
from pytorch_lightning import Callback, LightningModule, Trainer

from common.training.checkpoints.reading import read_checkpoint, save_checkpoint
from common.training.distributed import is_first_process
from common.training.weight_average import TRAINED, WeightAverage

LOG = logging.getLogger(__name__)
_LAST = "last.ckpt"


def run_of(checkpoint: Path) -> Path | None:
    """Return the folder of the run that a checkpoint lies in; None if it lies in none."""
    folder = checkpoint.parent
    is_in_run = folder.name == "checkpoints" and (folder.parent / "run.json").is_file()
    return folder.parent if is_in_run else None


def newest_resumable(folder: Path) -> Path | None:
    """Return the checkpoint of a folder that a training goes on from.

    It is ``last.ckpt`` or, where that is damaged or missing, the newest other one that was saved
    where an epoch ended. A missing one, as a kill between the two leaves it, becomes a copy: there
    may be no epoch left to write it.

    Returns:
        The file; None if there is none, as of a training that was killed in its first epoch.

    Raises:
        ValueError: If there is none because of damage.
    """
    found, damaged = list[tuple[int, Path]](), list[str]()
    for path in sorted(folder.glob("[!.]*.ckpt"), key=lambda path: path.name != _LAST):
        try:
            checkpoint = read_checkpoint(path)
        except ValueError as error:
            damaged.append(str(error))
            continue
        if _is_of_epoch_end(checkpoint):
            found.append((checkpoint["global_step"], path))
        if found and path.name == _LAST:
            return path
    if damaged and not found:
        raise ValueError(
            f"nothing to go on from: {'; '.join(damaged)}. Remove {folder.parent} to start anew"
        )
    if not found:
        return None
    _, newest = max(found)
    last = folder / _LAST
    if is_first_process():
        why = "; ".join(damaged) or f"there is no {last}"
        LOG.warning("going on from %s, the newest whole checkpoint: %s", newest, why)
        if not last.exists():
            save_checkpoint(read_checkpoint(newest), last)
    return newest


def whole_checkpoint(path: Path) -> Path:
    """Return a checkpoint or, if it is damaged and of a run, the one that run goes on from.

    Raises:
        ValueError: If there is none that is whole.
    """
    try:
        read_checkpoint(path)
    except ValueError:
        found = newest_resumable(path.parent) if run_of(path) else None
        if found is None:
            raise
        return found
    return path


def check_resumable(path: Path, callbacks: Iterable[Callback]) -> None:
    """Refuse to go on from a checkpoint that the training would not go on from as it was.

    From one that was saved inside an epoch Lightning 2.6 would train on that epoch's first batches
    again, in the place of its last ones. From one with a `WeightAverage`, a training without would
    train the average by the optimizer of the trained weights.

    Raises:
        ValueError: If so, or if it holds no state of a training.
    """
    checkpoint = read_checkpoint(path)
    if "loops" not in checkpoint:
        raise ValueError(f"ckpt_path={path} holds weights only, no state of a training to go on")
    if TRAINED in checkpoint and not any(isinstance(its, WeightAverage) for its in callbacks):
        raise ValueError(
            f"ckpt_path={path} is of a training with an average of the weights, which only such a "
            "training goes on from: type extras=[ema], beside what else extras= names"
        )
    if not _is_of_epoch_end(checkpoint):
        last = path.with_name(_LAST)
        instead = f"type ckpt_path={last}" if path != last else "take another"
        raise ValueError(
            f"ckpt_path={path} was saved inside an epoch, whose batches would be trained on twice: "
            f"{instead}, saved where an epoch ended"
        )


def _is_of_epoch_end(checkpoint: Mapping[str, Any]) -> bool:
    if "loops" not in checkpoint:
        return False
    progress = checkpoint["loops"]["fit_loop"]["epoch_progress"]["current"]
    return bool(progress["processed"] >= progress["started"])


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
    save_checkpoint(checkpoint, path)
