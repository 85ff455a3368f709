"""Which eye of which face, in which order."""

from collections.abc import Iterable

import numpy as np
import pytest

from flame.batch import LEFT, RIGHT, EyeRule
from flame.data.sampler import EyeSampler

ROWS = np.array([10, 11, 12, 13, 14, 15, 16, 17, 18, 19] * 5) + np.repeat(np.arange(5) * 10, 10)
FRAMES = np.tile(np.arange(10), 5)

Pairs = list[tuple[int, int]]


def drawn(eye: EyeRule, *, shuffle: bool = False, seed: int = 0, epoch: int = 0) -> Pairs:
    sampler = EyeSampler(ROWS, FRAMES, eye, shuffle, seed)
    sampler.set_epoch(epoch)
    keys = list(sampler)
    assert len(keys) == len(sampler)
    return pairs_of(keys)


def pairs_of(keys: Iterable[tuple[int, int, int]]) -> Pairs:
    return [(row, eye) for row, eye, _ in keys]


def test_parity_takes_the_left_eye_of_odd_frames() -> None:
    assert drawn("parity") == [
        (row, LEFT if frame % 2 else RIGHT) for row, frame in zip(ROWS, FRAMES, strict=True)
    ]


def test_parity_goes_by_the_frames_number_not_by_the_row() -> None:
    sampler = EyeSampler(np.array([4, 5, 6]), np.array([7, 7, 8]), "parity", False, 0)
    assert pairs_of(sampler) == [(4, LEFT), (5, LEFT), (6, RIGHT)]


def test_both_takes_every_eye_once() -> None:
    pairs = drawn("both")
    assert len(pairs) == 2 * len(ROWS)
    assert pairs[:4] == [(10, RIGHT), (10, LEFT), (11, RIGHT), (11, LEFT)]
    assert len(set(pairs)) == len(pairs)


@pytest.mark.parametrize(("eye", "number"), [("left", LEFT), ("right", RIGHT)])
def test_one_side_takes_that_eye_of_all(eye: EyeRule, number: int) -> None:
    assert drawn(eye) == [(row, number) for row in ROWS]


def test_random_eyes_differ_between_epochs_and_repeat_for_seed_and_epoch() -> None:
    first = drawn("random", epoch=0)
    assert drawn("random", epoch=1) != first
    assert drawn("random", seed=1) != first
    assert drawn("random", epoch=0) == first
    assert drawn("random", epoch=1) == drawn("random", epoch=1)


def test_random_eyes_are_fair() -> None:
    eyes = [eye for epoch in range(40) for _, eye in drawn("random", epoch=epoch)]
    # 2000 draws: 5 standard deviations.
    assert abs(np.mean(eyes) - 0.5) < 5 * 0.5 / np.sqrt(len(eyes))


@pytest.mark.parametrize("eye", ["random", "parity", "both"])
def test_a_shuffled_epoch_is_a_new_permutation(eye: EyeRule) -> None:
    orders = [[row for row, _ in drawn(eye, shuffle=True, epoch=epoch)] for epoch in range(3)]
    assert all(sorted(order) == sorted(row for row, _ in drawn(eye)) for order in orders)
    assert orders[0] != orders[1] != orders[2]
    assert orders[0] != sorted(orders[0])


def test_shuffling_keeps_each_rows_eye() -> None:
    assert sorted(drawn("parity", shuffle=True)) == sorted(drawn("parity"))


def test_an_unknown_rule_is_refused() -> None:
    with pytest.raises(ValueError, match=r"'middle'.*'random', 'parity'"):
        EyeSampler(ROWS, FRAMES, "middle", False, 0)  # type: ignore[arg-type]
