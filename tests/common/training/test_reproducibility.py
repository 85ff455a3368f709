"""Random numbers are a function of seed, epoch and rank, whatever came before."""

from itertools import product
from types import SimpleNamespace
from typing import Any

import torch

from common.training.reproducibility import EpochSeed


def drawn(seed: int, epoch: int, rank: int = 0) -> tuple[float, ...]:
    trainer: Any = SimpleNamespace(current_epoch=epoch, global_rank=rank)
    EpochSeed(seed).on_train_epoch_start(trainer, None)  # type: ignore[arg-type]
    return tuple(torch.rand(4).tolist())


def test_an_epoch_draws_the_same_after_a_restart_as_after_the_epoch_before() -> None:
    with torch.random.fork_rng():
        unbroken = [drawn(0, epoch) for epoch in range(3)]
        torch.manual_seed(99)  # another process, other numbers drawn so far
        torch.rand(17)
        assert drawn(0, 2) == unbroken[2]


def test_no_two_seeds_epochs_or_ranks_share_their_numbers() -> None:
    with torch.random.fork_rng():
        found = [drawn(*words) for words in product(range(3), repeat=3)]
    # (seed 1, epoch 0) is not (seed 0, epoch 1) either.
    assert len(set(found)) == 27
