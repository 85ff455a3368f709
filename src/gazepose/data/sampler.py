"""Which clips in which order, and with which random numbers; a function of seed and epoch alone.

The numbers' seeds are drawn here, not in the dataset: loader workers keep no epoch, and a run that
resumes at an epoch draws what it would have drawn.
"""

from collections.abc import Iterator

import numpy as np
from torch.utils.data import Sampler

from gazepose.store.table import Rows

# Python objects of a whole epoch would take a hundred bytes a clip.
_STRETCH = 4096


class ClipSampler(Sampler[tuple[int, int]]):
    """Yields (row, draw seed) pairs.

    Args:
        rows: (N,) rows of the clips' middle frames.
        shuffle: a new order every epoch; else the table's.
        seed: of order and draws.
        repeat_first_epoch: every epoch has the first one's order and draws.
    """

    def __init__(
        self, rows: Rows, shuffle: bool, seed: int, repeat_first_epoch: bool = False
    ) -> None:
        self._rows = rows
        self._shuffle = shuffle
        self._seed = seed
        self._repeat_first_epoch = repeat_first_epoch
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch; Lightning calls it before each one."""
        self._epoch = 0 if self._repeat_first_epoch else epoch

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        generator = np.random.default_rng([self._seed, self._epoch])
        rows = generator.permutation(self._rows) if self._shuffle else self._rows
        for first in range(0, len(rows), _STRETCH):
            stretch = rows[first : first + _STRETCH]
            seeds = generator.integers(0, 2**63, len(stretch))
            yield from zip(stretch.tolist(), seeds.tolist(), strict=True)
