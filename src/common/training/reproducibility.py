"""Randomness as a function of seed and epoch, so that a resumed run equals an unbroken one."""

import multiprocessing
from typing import Any

import numpy as np
import torch
from pytorch_lightning import Callback, LightningModule, Trainer
from torch.utils.data import DataLoader, Dataset


class EpochSeed(Callback):
    """Seeds torch at the start of every training epoch from (seed, epoch, rank).

    Dropout then draws the same numbers whether the epoch follows the one before it or a restart
    from its checkpoint. Loader order has its own generator.

    Args:
        seed: the run's seed.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Seed all devices' generators."""
        words = [self._seed, trainer.current_epoch, trainer.global_rank]
        torch.manual_seed(int(np.random.SeedSequence(words).generate_state(1)[0]))


def seeded_loader(
    dataset: Dataset[Any], *, seed: int, trains: bool, num_workers: int, **options: Any
) -> DataLoader[Any]:
    """Return a loader that draws nothing from the generator that drives dropout.

    Opening a loader else would: before the epoch's seed in a resumed run, after it in an unbroken
    one. One that trains keeps its worker processes between epochs.
    """
    return DataLoader(
        dataset,
        num_workers=num_workers,
        generator=torch.Generator().manual_seed(seed),
        multiprocessing_context=_start_method() if num_workers else None,
        persistent_workers=trains and num_workers > 0,
        pin_memory=torch.cuda.is_available(),
        **options,
    )


def _start_method() -> str | None:
    """Return how loader processes start: None as usual, unless joblib runs this process.

    joblib sets a start method of its own in its workers, whose processes cannot take over the
    loader's queues.
    """
    methods = multiprocessing.get_all_start_methods()  # the platform's default comes first
    is_usual = multiprocessing.get_start_method(allow_none=True) in (None, *methods)
    return None if is_usual else methods[0]
