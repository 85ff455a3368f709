"""Which samples, in which order, with which random numbers."""

import numpy as np

from common.training.sampler import EpochSampler

ROWS = np.arange(100, 10_000, 2)


def drawn(*, shuffle: bool = True, seed: int = 0, epoch: int = 0) -> list[tuple[int, ...]]:
    sampler = EpochSampler(ROWS, shuffle, seed)
    sampler.set_epoch(epoch)
    pairs = list(sampler)
    assert len(pairs) == len(sampler)
    return pairs


def test_every_row_comes_once_an_epoch() -> None:
    for epoch in range(2):
        assert sorted(row for row, _ in drawn(epoch=epoch)) == ROWS.tolist()


def test_order_and_draws_are_a_function_of_seed_and_epoch() -> None:
    assert drawn(epoch=1) == drawn(epoch=1)
    others = [drawn(epoch=0), drawn(epoch=2), drawn(epoch=1, seed=1)]
    for other in others:
        assert [row for row, _ in other] != [row for row, _ in drawn(epoch=1)]
        assert not {seed for _, seed in other} & {seed for _, seed in drawn(epoch=1)}


def test_samples_of_an_epoch_have_seeds_of_their_own() -> None:
    seeds = [seed for _, seed in drawn()]
    assert len(set(seeds)) == len(seeds)


def test_without_shuffling_the_order_is_the_tables() -> None:
    assert [row for row, _ in drawn(shuffle=False, epoch=3)] == ROWS.tolist()


def test_the_first_epoch_can_be_repeated() -> None:
    sampler = EpochSampler(ROWS, True, 0, repeat_first_epoch=True)
    first = list(sampler)
    sampler.set_epoch(7)
    assert list(sampler) == first == drawn()
