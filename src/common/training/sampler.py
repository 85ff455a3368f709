"""Which samples in which order, and with which random numbers; a function of seed and epoch alone.

The numbers' seeds are drawn here, not in the dataset: loader workers keep no epoch, and a run that
resumes at an epoch draws what it would have drawn.
"""

from collections.abc import Iterator

import numpy as np
from torch.utils.data import Sampler

from common.arrays import Ints

# Python objects of a whole epoch would take a hundred bytes a sample.
_STRETCH = 4096


class EpochSampler(Sampler[tuple[int, ...]]):
    """Yields (row, draw seed); the seed is of what training does to the sample.

    Args:
        rows: (N,) of a table.
        shuffle: a new order every epoch; else the given one.
        seed: of order and draws.
        repeat_first_epoch: every epoch has the first one's order and draws.

    Attributes:
        shuffle: as given.
    """

    def __init__(
        self, rows: Ints, shuffle: bool, seed: int, repeat_first_epoch: bool = False
    ) -> None:
        self.shuffle = shuffle
        self._rows = rows
        self._seed = seed
        self._repeat_first_epoch = repeat_first_epoch
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch; Lightning calls it before each one."""
        self._epoch = 0 if self._repeat_first_epoch else epoch

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[tuple[int, ...]]:
        generator = np.random.default_rng([self._seed, self._epoch])
        columns = self._columns(generator)
        order = generator.permutation(len(self)) if self.shuffle else np.arange(len(self))
        for first in range(0, len(self), _STRETCH):
            chosen = order[first : first + _STRETCH]
            seeds = generator.integers(0, 1 << 63, len(chosen))
            keys = [*(column[chosen] for column in columns), seeds]
            yield from zip(*(key.tolist() for key in keys), strict=True)

    def _columns(self, generator: np.random.Generator) -> list[Ints]:
        """Return what keys have before the draw seed, (N,) each, in the order of the rows."""
        return [self._rows]
