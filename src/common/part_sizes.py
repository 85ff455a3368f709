"""How many of a data set's people, sessions or photos train, validate and test."""

from collections.abc import Sequence

import numpy as np

_NUM_PARTS = 3


def part_sizes(num_names: int, fractions: Sequence[float]) -> list[int]:
    """Share by the largest remainder after giving every part one name.

    Args:
        num_names: of what is divided, at least 3.
        fractions: shares of train, val and test, positive, summing to 1.

    Raises:
        ValueError: If there are fewer than 3 names, or the fractions are not shares.
    """
    if num_names < _NUM_PARTS:
        raise ValueError(f"cannot divide {num_names} into train, val and test; need at least 3")
    is_three = len(fractions) == _NUM_PARTS
    if not is_three or min(fractions) <= 0 or not np.isclose(sum(fractions), 1):
        raise ValueError(
            f"fractions are {list(fractions)}; expected three above 0 that sum to 1: the shares "
            "of train, val and test, e.g. [0.8, 0.1, 0.1]"
        )
    wanted = num_names * np.asarray(fractions)
    # Round first: 0.7 * 10 is a hair above 7 and must not count as a remainder.
    sizes = np.maximum(np.floor(np.round(wanted, 9)), 1).astype(int)
    while sizes.sum() < num_names:
        sizes[np.argmax(np.round(wanted - sizes, 9))] += 1
    while sizes.sum() > num_names:
        sizes[np.argmax(sizes)] -= 1
    return [int(size) for size in sizes]
