"""Shares of batches, and means over processes, without any process."""

from collections.abc import Iterator
from itertools import product

import pytest
import torch
import torch.distributed
from torch import Tensor
from torch.utils.data import Dataset, Sampler

from common.training import distributed
from common.training.distributed import (
    BatchShares,
    Process,
    mean_over_processes,
    shared_loader,
    this_process,
)
from common.training.sample_loss import MeanLoss


class Shuffled(Sampler[tuple[int, int]]):
    """Keys that are pairs, in another order every epoch."""

    def __init__(self, num: int) -> None:
        self._num, self._epoch = num, 0

    def set_epoch(self, epoch: int) -> None:
        self._epoch = epoch

    def __len__(self) -> int:
        return self._num

    def __iter__(self) -> Iterator[tuple[int, int]]:
        generator = torch.Generator().manual_seed(self._epoch)
        order = torch.randperm(self._num, generator=generator).tolist()
        yield from ((number, self._epoch) for number in order)


class Squares(Dataset[dict[str, Tensor]]):
    def __getitem__(self, key: tuple[int, int]) -> dict[str, Tensor]:
        return {"square": torch.tensor([key[0] ** 2.0]), "epoch": torch.tensor(key[1])}


def deal(num: int, batch_size: int, num_processes: int, drop_last: bool) -> list[list[list]]:
    """The shares of each process."""
    return [
        list(BatchShares(Shuffled(num), batch_size, drop_last, Process(rank, num_processes)))
        for rank in range(num_processes)
    ]


@pytest.mark.parametrize("num_processes", [1, 2, 3, 8])
def test_shares_together_are_the_batches_of_one_process(num_processes: int) -> None:
    for num, drop_last in product([0, 1, 7, 8, 9, 23, 24], [False, True]):
        (alone,) = deal(num, 8, 1, drop_last)
        together = deal(num, 8, num_processes, drop_last)
        assert {len(shares) for shares in together} == {len(alone)}
        for batch, *shares in zip(alone, *together, strict=True):
            assert sorted(key for share in shares for key in share) == sorted(batch)
            # No process has more to do than its share, rounded up; the first one is never idle.
            sizes = [len(share) for share in shares]
            assert max(sizes) == sizes[0] == -(-len(batch) // num_processes)
            assert max(sizes) - min(sizes) <= 1


def test_a_new_epoch_is_dealt_anew() -> None:
    shares = BatchShares(Shuffled(9), 4, False, Process(1, 2))
    before = list(shares)
    shares.sampler.set_epoch(1)
    assert [epoch for share in shares for _, epoch in share] == [1, 1, 1, 1]
    assert [key[0] for share in shares for key in share] != [k[0] for s in before for k in s]


def test_batches_smaller_than_the_processes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"2 .* 3 .*data\.datamodule\.batch_size"):
        BatchShares(Shuffled(9), 2, False, Process(0, 3))


@pytest.mark.parametrize("num_workers", [0, 1])
def test_an_empty_share_is_a_batch_of_no_sample(
    monkeypatch: pytest.MonkeyPatch, num_workers: int
) -> None:
    monkeypatch.setattr(distributed, "this_process", lambda: Process(1, 2))
    loader = shared_loader(
        Squares(), Shuffled(5), batch_size=4, drop_last=False, seed=0, trains=True,
        num_workers=num_workers,
    )  # fmt: skip
    full, empty = list(loader)
    assert full["square"].shape == (2, 1)
    assert empty["square"].shape == (0, 1)
    assert empty["epoch"].shape == (0,)
    assert empty["epoch"].dtype == full["epoch"].dtype


def pretend(monkeypatch: pytest.MonkeyPatch, all_weights: list[Tensor]) -> None:
    """Let `mean_over_processes` add up these weights."""
    total = torch.cat(all_weights).sum()
    monkeypatch.setattr(distributed, "this_process", lambda: Process(0, len(all_weights)))
    monkeypatch.setattr(torch.distributed, "all_reduce", lambda tensor, _: tensor.copy_(total))


def test_the_mean_of_the_parts_is_the_mean_over_all_samples(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of any shares, one of them empty; also for the gradients."""
    generator = torch.Generator().manual_seed(0)
    values, weights = torch.rand(2, 9, generator=generator, dtype=torch.float64)
    factor = torch.ones((), dtype=torch.float64, requires_grad=True)
    expected = (factor * values * weights).sum() / weights.sum()
    (gradient,) = torch.autograd.grad(expected, factor)
    shares = [(values[:6], weights[:6]), (values[6:], weights[6:]), (values[:0], weights[:0])]
    pretend(monkeypatch, [weight for _, weight in shares])
    parts = torch.stack([mean_over_processes(factor * value, weight) for value, weight in shares])
    torch.testing.assert_close(parts.mean(), expected)
    torch.testing.assert_close(torch.autograd.grad(parts.mean(), factor)[0], gradient)
    assert parts[2] == 0


def test_a_process_alone_takes_the_mean() -> None:
    assert this_process() == Process(0, 1)
    losses, weights = torch.tensor([1.0, 3.0]), torch.tensor([3.0, 1.0])
    assert mean_over_processes(losses, weights) == 1.5


def test_mean_loss_weighs_samples_not_batches() -> None:
    metric = MeanLoss()
    metric.update(torch.tensor([1.0, 2.0, 3.0]), torch.ones(3))
    metric.update(torch.tensor([8.0]), torch.tensor([0.5]))
    metric.update(torch.empty(0), torch.empty(0))
    assert metric.compute() == pytest.approx(10 / 3.5)
