"""Which eye of which face, in which order; a function of seed and epoch alone.

The choice is made here, not in the dataset: loader workers keep no epoch, and a run that resumes
at an epoch draws what it would have drawn.
"""

from collections.abc import Iterator
from typing import get_args

import numpy as np
import numpy.typing as npt
from torch.utils.data import Sampler

from flame.batch import LEFT, RIGHT, EyeRule


class EyeSampler(Sampler[tuple[int, int, int]]):
    """Yields (row, eye, draw seed); the seed is of what training does to the sample.

    Args:
        rows: (N,) rows of the table to go through.
        frame_indices: (N,) each row's frame number in its group.
        eye: ``random`` draws one eye a sample and epoch (FLAME's training); ``parity`` takes the
            left eye of odd frames and the right of even ones (FLAME's test); ``both`` yields
            every sample twice; ``left`` and ``right`` are the subject's.
        shuffle: a new order every epoch. The original shuffled once, for all epochs.
        seed: of order and eyes.
        repeat_first_epoch: every epoch has the first one's order and eyes.
    """

    def __init__(
        self,
        rows: npt.NDArray[np.int64],
        frame_indices: npt.NDArray[np.int64],
        eye: EyeRule,
        shuffle: bool,
        seed: int,
        repeat_first_epoch: bool = False,
    ) -> None:
        if eye not in get_args(EyeRule):
            raise ValueError(f"eye is {eye!r}, expected one of {get_args(EyeRule)}")
        assert len(rows) == len(frame_indices)
        self._rows = np.asarray(rows)
        self._frame_indices = np.asarray(frame_indices)
        self._eye = eye
        self._shuffle = shuffle
        self._seed = seed
        self._repeat_first_epoch = repeat_first_epoch
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch; Lightning calls it before each one."""
        self._epoch = 0 if self._repeat_first_epoch else epoch

    def __len__(self) -> int:
        return len(self._rows) * (2 if self._eye == "both" else 1)

    def __iter__(self) -> Iterator[tuple[int, int, int]]:
        generator = np.random.default_rng([self._seed, self._epoch])
        rows, eyes = self._pairs(generator)
        order = generator.permutation(len(rows)) if self._shuffle else np.arange(len(rows))
        draws = generator.integers(0, 1 << 63, len(rows))
        yield from zip(
            *(values.tolist() for values in (rows[order], eyes[order], draws)), strict=True
        )

    def _pairs(
        self, generator: np.random.Generator
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        num = len(self._rows)
        if self._eye == "both":
            return np.repeat(self._rows, 2), np.tile([RIGHT, LEFT], num)
        if self._eye == "random":
            return self._rows, generator.integers(RIGHT, LEFT + 1, num)
        if self._eye == "parity":
            return self._rows, np.where(self._frame_indices % 2 == 1, LEFT, RIGHT)
        return self._rows, np.full(num, LEFT if self._eye == "left" else RIGHT)
