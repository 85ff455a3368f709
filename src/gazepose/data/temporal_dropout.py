"""Temporal Dynamic Refinement: which neighbours a clip leaves out, and what it shows instead.

Everything here is a function of arrays and of random numbers that the caller drew, so that equal
numbers give equal clips, and the original's.
"""

from dataclasses import dataclass
from itertools import product
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from common.arrays import Bools, Float
from gazepose.batch import BLACK, CENTRE, NUM_FRAMES

DropoutKind = Literal["none", "uniform", "gaussian"]
Mode = Literal["train", "val", "test"]
NUM_NEIGHBOURS = NUM_FRAMES - 1
"""Random numbers of a clip's dropout, one for each neighbour, from frame -3 to +3."""

_NEIGHBOURS = np.array([i for i in range(NUM_FRAMES) if i != CENTRE])


@dataclass(frozen=True)
class TemporalDropout:
    """Which neighbours of the middle frame are left out.

    Attributes:
        kind: ``none`` leaves out nothing. ``gaussian`` is the published one: training keeps a
            neighbour with probability p + `margin`, where p is the Gaussian CDF of its sharpness;
            validation and test leave out those with p below `threshold`. ``uniform`` leaves out
            every neighbour with probability `drop_rate` in training and nothing afterwards, the
            control that does not look at sharpness.
        margin: of ``gaussian`` in training.
        threshold: of ``gaussian`` in validation and test.
        drop_rate: of ``uniform``.
        drop_centre_at_test: ``gaussian`` on the unlabelled test set leaves out a blurred middle
            frame too, as the original does (it compares a number with a name there), and the clip
            has a black one instead. False keeps it.

    Raises:
        ValueError: If the kind is unknown, or a number is outside [0, 1].
    """

    kind: DropoutKind = "none"
    margin: float = 0.2
    threshold: float = 0.2
    drop_rate: float = 0.2
    drop_centre_at_test: bool = True

    def __post_init__(self) -> None:
        if self.kind not in get_args(DropoutKind):
            raise ValueError(
                f"dropout kind is {self.kind!r}, expected one of {get_args(DropoutKind)}"
            )
        for name in ("margin", "threshold", "drop_rate"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"dropout {name} is {getattr(self, name)}, expected 0 to 1")

    def dropped(self, sharpness_p: Float, mode: Mode, draws: Float | None = None) -> Bools:
        """Decide which frames of clips are left out.

        Args:
            sharpness_p: (..., 7) Gaussian CDF of the frames' sharpness, NaN where there is none:
                such a frame is never left out.
            mode: ``train`` decides by `draws`; ``val`` and ``test`` need none.
            draws: (..., 6) uniform in [0, 1), one for each neighbour, whether it is there or not.

        Returns:
            (..., 7) bool; the middle one is False but in ``test``.
        """
        dropped = np.zeros(sharpness_p.shape, np.bool_)
        if self.kind == "none" or (self.kind == "uniform" and mode != "train"):
            return dropped
        if mode == "train":
            assert draws is not None
            dropped[..., _NEIGHBOURS] = self._drawn(sharpness_p[..., _NEIGHBOURS], draws)
            return dropped
        # NaN is below nothing.
        dropped = sharpness_p < self.threshold
        if mode == "val" or not self.drop_centre_at_test:
            dropped[..., CENTRE] = False
        return dropped

    def _drawn(self, sharpness_p: Float, draws: Float) -> Bools:
        if self.kind == "uniform":
            return draws < self.drop_rate
        return draws > np.where(np.isnan(sharpness_p), 1.0, sharpness_p) + self.margin


def positions_to_show(has_image: Bools, is_black: Bools) -> npt.NDArray[np.int8]:
    """Say which of a clip's frames is shown at each of its positions.

    The frames of each side are packed toward the middle, and the outermost one fills what is left
    of its side; the middle fills a side without any. The middle never moves: where it is missing,
    it is black, and so is what it fills.

    Args:
        has_image: (..., 7) whether the frame is there and was not left out.
        is_black: (..., 7) whether its image is all zero: such a one counts as missing, but only
            where some frame is missing (a quirk of the original).

    Returns:
        (..., 7) positions, `BLACK` where nothing can be shown.
    """
    present = has_image & ~(is_black & ~has_image.all(-1, keepdims=True))
    return _PACKED[present @ _BITS]


def _packed(present: tuple[bool, ...]) -> list[int]:
    """Return what is shown of one pattern of present frames."""
    centre = CENTRE if present[CENTRE] else BLACK
    left = _filled([i for i in reversed(range(CENTRE)) if present[i]], centre)
    right = _filled([i for i in range(CENTRE + 1, NUM_FRAMES) if present[i]], centre)
    return [*reversed(left), centre, *right]


def _filled(side: list[int], centre: int) -> list[int]:
    outermost = side[-1] if side else centre
    return side + [outermost] * (CENTRE - len(side))


_BITS = 2 ** np.arange(NUM_FRAMES)[::-1]
_PACKED = np.array([_packed(bits) for bits in product((False, True), repeat=NUM_FRAMES)], np.int8)
