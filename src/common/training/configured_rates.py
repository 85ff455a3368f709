"""A resumed training's optimizer and schedule as they are configured now."""

import inspect
from collections.abc import Mapping
from typing import Any

from pytorch_lightning import Callback, LightningModule, Trainer
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler


class ConfiguredRates(Callback):
    """Gives a resumed training the settings of its config in place of those of its checkpoint.

    What was learned stays: moments, and how far the schedule is. A learning rate is the one that
    the schedule had reached, times the ratio of the new start rate to the old one.
    """

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Change them; the checkpoint is loaded."""
        configured: Any = pl_module.configure_optimizers()
        is_scheduled = isinstance(configured, Mapping)
        (optimizer,) = trainer.optimizers
        _take_groups(optimizer, configured["optimizer"] if is_scheduled else configured)
        for found in trainer.lr_scheduler_configs:
            _take_schedule(found.scheduler, configured["lr_scheduler"], optimizer)


def _take_groups(optimizer: Optimizer, configured: Optimizer) -> None:
    for group, new in zip(optimizer.param_groups, configured.param_groups, strict=True):
        old_start, new_start = (its.get("initial_lr", its["lr"]) for its in (group, new))
        rate = group["lr"] * (new_start / old_start) if old_start else new_start
        group.update({key: value for key, value in new.items() if key != "params"}, lr=rate)


def _take_schedule(scheduler: Any, configured: LRScheduler, optimizer: Optimizer) -> None:
    state = configured.state_dict()
    # What the constructor is given is a setting, all else is how far the schedule is.
    settings = {*inspect.signature(type(configured)).parameters, "base_lrs"} - {"last_epoch"}
    rates = [group["lr"] for group in optimizer.param_groups]
    taken = {key: value for key, value in state.items() if key in settings}
    scheduler.load_state_dict({**scheduler.state_dict(), **taken, "_last_lr": rates})
