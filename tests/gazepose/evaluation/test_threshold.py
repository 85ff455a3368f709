"""The threshold of a rule and what it gives, against every threshold tried in turn."""

import numpy as np
import pytest

from gazepose.evaluation.threshold import ThresholdRule, decision_numbers

Samples = tuple[np.ndarray, np.ndarray]


def sample(seed: int, num: int = 60, digits: int = 2) -> Samples:
    """Scores with ties, and labels that they tell apart a little."""
    rng = np.random.default_rng(seed)
    labels = (rng.random(num) < 0.4).astype(int)
    return (rng.random(num) * 0.7 + 0.3 * labels * rng.random(num)).round(digits), labels


def by_hand(scores: np.ndarray, labels: np.ndarray, threshold: float) -> dict[str, float]:
    said = [score >= threshold for score in scores]
    both = sum(1 for yes, label in zip(said, labels, strict=True) if yes and label)
    num_said, num_true, num = sum(said), int(labels.sum()), len(labels)
    agreed = sum(1 for yes, label in zip(said, labels, strict=True) if yes == (label == 1)) / num
    chance = num_said / num * num_true / num + (1 - num_said / num) * (1 - num_true / num)
    return {
        "precision": both / num_said if num_said else 0.0,
        "recall": both / num_true,
        "f1": 2 * both / (num_said + num_true),
        "kappa": (agreed - chance) / (1 - chance) if chance < 1 else float("nan"),
        "accuracy": agreed,
    }


def every_threshold(scores: np.ndarray) -> list[float]:
    """One below, between and above all distinct scores."""
    distinct = np.unique(scores)
    return [0.0, *((distinct[1:] + distinct[:-1]) / 2).tolist(), 1.5]


def test_no_threshold_has_a_greater_f1() -> None:
    for scores, labels in map(sample, range(20)):
        chosen = ThresholdRule()(scores, labels)
        assert chosen is not None
        tried = [by_hand(scores, labels, one)["f1"] for one in every_threshold(scores)]
        assert by_hand(scores, labels, chosen)["f1"] == pytest.approx(max(tried))


@pytest.mark.parametrize("precision", [0.5, 0.7])
def test_no_threshold_of_the_precision_has_a_greater_recall(precision: float) -> None:
    for scores, labels in map(sample, range(20)):
        tried = [by_hand(scores, labels, one) for one in every_threshold(scores)]
        precise = [one for one in tried if one["precision"] >= precision and one["recall"]]
        chosen = ThresholdRule("precision", precision)(scores, labels)
        if chosen is None:
            assert not precise
            continue
        found = by_hand(scores, labels, chosen)
        assert found["precision"] >= precision
        assert found["recall"] == max(one["recall"] for one in precise)


def test_it_lies_midway_between_two_scores_and_ties_are_decided_alike() -> None:
    scores, labels = np.array([0.9, 0.6, 0.6, 0.2]), np.array([1, 1, 1, 0])
    assert ThresholdRule()(scores, labels) == pytest.approx(0.4)
    # Of the tied ones a third looks: all of them or none.
    assert ThresholdRule()(np.array([0.9, 0.6, 0.6, 0.6]), np.array([1, 1, 0, 0])) == 0.75
    # All of them: midway to 0.
    assert ThresholdRule()(np.array([0.2, 0.8]), np.array([1, 0])) == pytest.approx(0.1)


def test_between_neighbouring_floats_it_is_the_upper_one() -> None:
    low, high = 0.5, np.nextafter(0.5, 1)
    assert ThresholdRule()(np.array([low, high]), np.array([0, 1])) == high


def test_of_equally_good_ones_it_is_the_highest() -> None:
    # F1 is 2/3 with the first alone, and with all of them.
    scores, labels = np.array([0.9, 0.7, 0.5, 0.3]), np.array([1, 0, 0, 1])
    assert by_hand(scores, labels, 0.8)["f1"] == by_hand(scores, labels, 0.1)["f1"]
    assert ThresholdRule()(scores, labels) == pytest.approx(0.8)


def test_order_makes_no_difference_and_a_rising_curve_moves_it_along() -> None:
    scores, labels = sample(3)
    order = np.random.default_rng(0).permutation(len(scores))
    assert ThresholdRule()(scores[order], labels[order]) == ThresholdRule()(scores, labels)
    moved = ThresholdRule()(scores / 2 + 0.5, labels)
    plain = ThresholdRule()(scores, labels)
    assert moved is not None
    assert plain is not None
    np.testing.assert_array_equal(scores / 2 + 0.5 >= moved, scores >= plain)


@pytest.mark.parametrize(
    ("scores", "labels"),
    [([], []), ([0.1, 0.9], [1, 1]), ([0.1, 0.9], [0, 0]), ([0.1, float("nan")], [0, 1])],
)
def test_where_nothing_is_best_there_is_none(scores: list[float], labels: list[int]) -> None:
    assert ThresholdRule()(np.array(scores), np.array(labels, int)) is None


def test_a_precision_that_no_threshold_has_gives_none() -> None:
    scores, labels = np.array([0.9, 0.5]), np.array([0, 1])
    assert ThresholdRule("precision", 0.6)(scores, labels) is None
    assert ThresholdRule("precision", 0.5)(scores, labels) == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"rule": "f2"}, r"threshold\.rule.*'f2'.*'f1', 'precision'"),
        ({"precision": 0.0}, r"threshold\.precision.* 0\.0.* 0.* 1"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(changes: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        ThresholdRule(**changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.61])
def test_the_numbers_are_those_counted_by_hand(threshold: float) -> None:
    scores, labels = sample(5)
    found = decision_numbers(scores, labels, np.repeat(["a", "b"], 30), threshold)
    expected = by_hand(scores, labels, threshold)
    assert {name: found[name] for name in expected} == pytest.approx(expected)
    assert sum(map(sum, found["confusion"])) == 60


def test_kappa_knows_chance() -> None:
    labels, clips = np.array([1, 0] * 50), np.repeat(["a", "b"], 50)
    agrees, turned = (decision_numbers(s, labels, clips, 0.5) for s in (labels, 1 - labels))
    assert (agrees["kappa"], turned["kappa"]) == (1, -1)
    guessed = decision_numbers(np.tile([1, 1, 0, 0], 25), labels, clips, 0.5)
    assert guessed["kappa"] == pytest.approx(0)


def test_what_is_not_defined_is_none() -> None:
    nobody = decision_numbers(np.zeros(4), np.zeros(4, int), np.array([*"aabb"]), 0.5)
    assert nobody["precision"] is nobody["recall"] is nobody["f1"] is nobody["kappa"] is None
    assert nobody["f1_interval_over_clips"] is None
    assert nobody["accuracy"] == 1


def test_the_intervals_are_those_of_clips_put_together_anew() -> None:
    scores, labels = sample(1, num=120)
    clips = np.random.default_rng(2).integers(0, 6, 120)
    rows = [np.flatnonzero(clips == clip) for clip in range(6)]
    values: dict[str, list[float]] = {"f1": [], "kappa": []}
    for drawn in np.random.default_rng(0).integers(0, 6, (1000, 6)):
        some = np.concatenate([rows[clip] for clip in drawn])
        numbers = by_hand(scores[some], labels[some], 0.5)
        for name, found in values.items():
            found.append(numbers[name])
    numbers = decision_numbers(scores, labels, clips, 0.5)
    for name, found in values.items():
        low, high = np.quantile(found, [0.025, 0.975])
        assert numbers[f"{name}_interval_over_clips"] == pytest.approx({"low": low, "high": high})
