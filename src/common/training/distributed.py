"""One training in several processes that equals the same training in one.

`batch_size` is that of an optimizer step: every process gets its share of each batch, and losses
are means over all shares. DDP takes the mean of the processes' gradients.
"""

from collections.abc import Callable, Iterator, Sized
from typing import Any, NamedTuple

import torch
from pytorch_lightning.utilities import rank_zero_only
from torch import Tensor
from torch.distributed import ReduceOp
from torch.utils.data import BatchSampler, DataLoader, Dataset, Sampler, default_collate

from common.training.reproducibility import seeded_loader

Collate = Callable[[list[Any]], Any]


class Process(NamedTuple):
    """One of the processes that train together."""

    rank: int
    world_size: int


def this_process() -> Process:
    """Return this process; the only one outside a training in several."""
    if not _is_in_group():
        return Process(0, 1)
    return Process(torch.distributed.get_rank(), torch.distributed.get_world_size())


def is_first_process() -> bool:
    """Return whether this process writes what is written once; known before processes connect."""
    return not rank_zero_only.rank


def leave_group() -> None:
    """End the connection to the other processes, so that each can go on, or end, alone."""
    if _is_in_group():
        torch.distributed.destroy_process_group()


def mean_over_processes(losses: Tensor, weights: Tensor) -> Tensor:
    """Return this process's part of the weighted mean over the samples of all processes.

    The mean of the parts over the processes, which is what DDP makes of their gradients, is the
    weighted mean over all samples; of a single process, the part is that mean. Weights, not means,
    are added up over processes: shares may be of any size, and one without a sample has part 0.
    Losses and weights are (B,), where B may be 0; not all weights of all processes are 0.
    """
    total = weights.sum().detach()
    process = this_process()
    if process.world_size > 1:
        torch.distributed.all_reduce(total, ReduceOp.SUM)
    return (losses * weights).sum() * process.world_size / total


class BatchShares(Sampler[list[Any]]):
    """Yields this process's share of every batch of keys; all shares together are the batch.

    No key is repeated or left out. A last batch with fewer keys than processes leaves some of them
    an empty share, so that all processes take equally many steps.

    Args:
        sampler: keys, in the same order in every process.
        batch_size: of the whole batch.
        drop_last: leave out the last, smaller batch.
        process: whose share.

    Attributes:
        sampler: as given; Lightning tells it the epoch.

    Raises:
        ValueError: If a batch has fewer keys than there are processes.
    """

    def __init__(
        self, sampler: Sampler[Any], batch_size: int, drop_last: bool, process: Process
    ) -> None:
        if batch_size < process.world_size:
            raise ValueError(
                f"a batch of {batch_size} samples over {process.world_size} processes leaves some "
                "without: raise data.datamodule.batch_size and eval_batch_size, which count all "
                "processes together, or train in fewer (trainer.devices=...)"
            )
        self.sampler = sampler
        self._batches = BatchSampler(sampler, batch_size, drop_last)
        self._process = process

    def __len__(self) -> int:
        return len(self._batches)

    def __iter__(self) -> Iterator[list[Any]]:
        rank, world_size = self._process.rank, self._process.world_size
        for batch in self._batches:
            yield batch[rank::world_size]


class ShareCollate:
    """Makes a batch of a share; of an empty one, tensors of no sample.

    Args:
        collate: makes a batch of samples.
        dataset: shows what a sample is like.
        key: of any sample.
    """

    def __init__(self, collate: Collate, dataset: Dataset[Any], key: Any) -> None:
        self._collate = collate
        self._dataset = dataset
        self._key = key

    def __call__(self, samples: list[Any]) -> Any:
        """Return the batch of `samples`, dictionaries of values."""
        if samples:
            return self._collate(samples)
        batch = self._collate([self._dataset[self._key]])
        return {name: values[:0] for name, values in batch.items()}


def shared_loader(
    dataset: Dataset[Any],
    sampler: Sampler[Any],
    *,
    batch_size: int,
    drop_last: bool,
    collate: Collate = default_collate,
    **settings: Any,
) -> DataLoader[Any]:
    """Return a loader of this process's shares of all batches; see `BatchShares`, `seeded_loader`.

    Samples are dictionaries, found in the dataset by the sampler's keys.
    """
    assert isinstance(sampler, Sized)
    process = this_process()
    if process.world_size > 1 and len(sampler):
        collate = ShareCollate(collate, dataset, next(iter(sampler)))
    shares = BatchShares(sampler, batch_size, drop_last, process)
    return seeded_loader(dataset, batch_sampler=shares, collate_fn=collate, **settings)


def _is_in_group() -> bool:
    return torch.distributed.is_available() and torch.distributed.is_initialized()
