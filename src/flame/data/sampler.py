"""Which eye of which face, in which order."""

from typing import get_args

import numpy as np

from common.arrays import Ints
from common.training.sampler import EpochSampler
from flame.batch import LEFT, RIGHT, EyeRule


class EyeSampler(EpochSampler):
    """Yields (row, eye, draw seed). The original shuffled once, for all epochs.

    Args:
        rows: (N,) rows of the table to go through.
        frame_indices: (N,) each row's frame number in its group.
        eye: ``random`` draws one eye a sample and epoch (FLAME's training); ``parity`` takes the
            left eye of odd frames and the right of even ones (FLAME's test); ``both`` yields
            every sample twice; ``left`` and ``right`` are the subject's.
        shuffle: as are the next, of `EpochSampler`; `seed` is of the eyes too.
        seed: of order, eyes and draws.
        repeat_first_epoch: every epoch has the first one's.
    """

    def __init__(
        self,
        rows: Ints,
        frame_indices: Ints,
        eye: EyeRule,
        shuffle: bool,
        seed: int,
        repeat_first_epoch: bool = False,
    ) -> None:
        if eye not in get_args(EyeRule):
            raise ValueError(f"eye is {eye!r}, expected one of {get_args(EyeRule)}")
        both = np.repeat(rows, 2) if eye == "both" else rows
        super().__init__(both, shuffle, seed, repeat_first_epoch)
        self._frame_indices = frame_indices
        self._eye = eye

    def _columns(self, generator: np.random.Generator) -> list[Ints]:
        return [self._rows, self._eyes(generator)]

    def _eyes(self, generator: np.random.Generator) -> Ints:
        num = len(self)
        if self._eye == "both":
            return np.tile([RIGHT, LEFT], num // 2)
        if self._eye == "random":
            return generator.integers(RIGHT, LEFT + 1, num)
        if self._eye == "parity":
            return np.where(self._frame_indices % 2 == 1, LEFT, RIGHT)
        return np.full(num, LEFT if self._eye == "left" else RIGHT)
