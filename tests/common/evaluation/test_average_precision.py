"""Average precision: the official rule, and what is made of ties."""

import json
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
from builders.brute_precision import bounds, mean_precision, row_wise_precision

from common.evaluation.average_precision import (
    area_under_envelope,
    checked,
    lam_precision,
    rank_lam,
)

GOLDEN = Path(__file__).parents[2] / "golden" / "gazepose" / "metric"


def sample(seed: int, num: int, num_values: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Scores (of a few values only, if asked) and labels of both classes."""
    rng = np.random.default_rng(seed)
    labels = np.append([0, 1], rng.integers(0, 2, num - 2))
    scores = rng.random(num) if num_values is None else rng.integers(0, num_values, num) / 10
    return scores, labels


@pytest.mark.parametrize("case", json.loads((GOLDEN / "ap_unit.json").read_text())[:4])
def test_the_area_is_the_originals(case: dict[str, list[float]]) -> None:
    area = area_under_envelope(np.array(case["precision"]), np.array(case["recall"]))
    assert area == pytest.approx(case["ap"], abs=1e-12)


def test_no_point_has_no_area() -> None:
    assert area_under_envelope(np.array([]), np.array([])) == 0


def test_without_ties_it_is_the_rule_row_by_row() -> None:
    for seed in range(20):
        scores, labels = sample(seed, 40)
        found = lam_precision(scores, labels)
        expected = row_wise_precision(labels[np.argsort(-scores)].tolist())
        assert found.lam == pytest.approx(expected, abs=1e-12)
        expected = mean_precision(scores.tolist(), labels.tolist())
        assert found.mean == pytest.approx(expected, abs=1e-12)


def test_with_ties_it_is_the_least_of_all_orders() -> None:
    for seed in range(20):
        scores, labels = sample(seed, 60, num_values=7)
        worst, best = bounds(scores.tolist(), labels.tolist())
        assert worst < best
        assert lam_precision(scores, labels).lam == pytest.approx(worst, abs=1e-12)


def test_no_order_of_tied_rows_gives_less() -> None:
    """All orders of one tie, tried out."""
    scores = np.array([0.9, 0.5, 0.5, 0.5, 0.5, 0.5, 0.1])
    labels = np.array([1, 0, 1, 1, 0, 0, 1])
    orders = (np.array([1, *tie, 1]) for tie in permutations(labels[1:-1]))
    least = min(row_wise_precision(order.tolist()) for order in orders)
    assert lam_precision(scores, labels).lam == pytest.approx(least, abs=1e-12)


@pytest.mark.parametrize("num_values", [None, 5])
def test_neither_the_order_of_rows_nor_a_rising_map_matters(num_values: int | None) -> None:
    scores, labels = sample(3, 200, num_values)
    order = np.random.default_rng(1).permutation(200)
    expected = lam_precision(scores, labels)
    assert lam_precision(scores[order], labels[order]) == expected
    assert lam_precision(np.exp(3 * scores), labels) == expected


def test_the_classes_swap_with_labels_and_scores() -> None:
    scores, labels = sample(4, 100)
    one, other = lam_precision(scores, labels), lam_precision(1 - scores, 1 - labels)
    assert (one.lam, one.not_lam) == (other.not_lam, other.lam)


def test_perfect_and_constant_scores() -> None:
    labels = np.array([0, 0, 0, 1])
    assert lam_precision(labels.astype(float), labels).mean == 1
    constant = lam_precision(np.full(4, 0.3), labels)
    assert (constant.lam, constant.not_lam, constant.mean) == (0.25, 0.75, 0.5)


def test_tiny_scores_stay_apart_in_the_other_class() -> None:
    """1 - 1e-20 is 1 - 1e-18 in float64, but -1e-20 is not -1e-18."""
    scores, labels = np.array([1e-20, 1e-18]), np.array([0, 1])
    assert lam_precision(scores, labels).not_lam == 1


def test_a_class_without_samples_has_no_precision() -> None:
    precision = lam_precision(np.array([0.2, 0.4]), np.array([1, 1]))
    assert precision.lam == 1
    assert np.isnan([precision.not_lam, precision.mean]).all()
    assert np.isnan(lam_precision(np.array([0.2]), np.array([0])).lam)
    assert np.isnan(lam_precision(np.array([]), np.array([], dtype=int)).lam)


@pytest.mark.parametrize("num_values", [None, 5])
def test_groups_that_count_twice_are_there_twice(
    num_values: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    scores, labels = checked(*sample(5, 80, num_values))
    rng = np.random.default_rng(2)
    groups, times = rng.integers(0, 6, 80), rng.integers(0, 4, (30, 6))
    expected = [
        lam_precision(np.repeat(scores, each[groups]), np.repeat(labels, each[groups])).lam
        for each in times
    ]
    ranking = rank_lam(scores, labels)
    np.testing.assert_allclose(ranking.average_precisions(groups, times), expected, atol=1e-12)
    monkeypatch.setattr("common.evaluation.average_precision._MAX_CELLS_AT_ONCE", 200)
    np.testing.assert_allclose(ranking.average_precisions(groups, times), expected, atol=1e-12)


def test_groups_without_a_positive_have_no_precision() -> None:
    scores, labels = np.array([0.1, 0.2, 0.3]), np.array([0, 1, 0])
    times = np.array([[1, 0], [0, 1], [0, 0]])
    found = rank_lam(scores, labels).average_precisions(np.array([0, 1, 0]), times)
    np.testing.assert_array_equal(found, [np.nan, 1, np.nan])
    nobody = rank_lam(scores[:0], labels[:0])
    assert np.isnan(nobody.average_precisions(np.array([], int), times)).all()
    assert nobody.curve() is None


@pytest.mark.parametrize(
    ("scores", "labels", "reason"),
    [
        ([0.1, np.nan, np.inf], [1, 0, 0], r"2 of 3 .*scores\[1\] = nan"),
        ([0.1, 0.2], [1, 2], r"labels\[1\] = 2"),
        ([0.1, 0.2], [1, -1], r"labels\[1\] = -1"),
        ([0.1, 0.2], [1], r"\(2,\).*\(1,\)"),
    ],
)
def test_what_cannot_be_ranked_is_refused(
    scores: list[float], labels: list[int], reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        lam_precision(np.array(scores), np.array(labels))
