"""Resampling of seeds and clusters: equal to repeating the samples, and to known cases."""

import numpy as np
import pytest
from builders.brute_precision import mean_precision
from builders.small_runs import lam_scores
from scipy.stats import bootstrap

from common.evaluation.average_precision import lam_precision
from common.evaluation.resampling import (
    NUM_RESAMPLES,
    bootstrap_interval,
    cluster_interval,
    interval_of,
    map_of_samples,
    mean_of_samples,
    resampled_means,
)


def test_the_interval_is_scipys() -> None:
    values = np.random.default_rng(0).gamma(2, 2, 200)
    ours = bootstrap_interval(values, num_resamples=4000)
    scipys = bootstrap(
        (values,), np.mean, n_resamples=4000, method="percentile", random_state=1
    ).confidence_interval
    # Two sets of 4000 resamples: their 2.5 % quantiles differ by about 0.03 standard errors.
    tolerance = 0.15 * values.std() / np.sqrt(len(values))
    assert ours.low == pytest.approx(scipys.low, abs=tolerance)
    assert ours.high == pytest.approx(scipys.high, abs=tolerance)


def test_the_interval_holds_the_mean_and_repeats() -> None:
    values = np.random.default_rng(0).normal(5, 2, 100)
    interval = bootstrap_interval(values)
    assert interval.low < values.mean() < interval.high
    assert bootstrap_interval(values) == interval
    assert bootstrap_interval(values, seed=1) != interval


def test_more_confidence_is_wider() -> None:
    values = np.random.default_rng(0).normal(5, 2, 100)
    narrow, wide = (bootstrap_interval(values, confidence=c) for c in (0.5, 0.99))
    assert wide.low < narrow.low < narrow.high < wide.high


def test_whole_people_widen_the_interval_when_people_differ() -> None:
    generator = np.random.default_rng(0)
    people = np.repeat(["a", "b", "c", "d", "e", "f"], 50)
    values = np.repeat(generator.normal(5, 2, 6), 50) + generator.normal(0, 0.5, 300)
    samples, clusters = bootstrap_interval(values), bootstrap_interval(values, clusters=people)
    assert clusters.high - clusters.low > 3 * (samples.high - samples.low)
    assert clusters.low < values.mean() < clusters.high


def test_every_sample_its_own_cluster_is_no_cluster() -> None:
    values = np.random.default_rng(0).normal(5, 2, 40)
    assert bootstrap_interval(values, clusters=np.arange(40)) == bootstrap_interval(values)


def test_equal_values_have_no_width() -> None:
    interval = bootstrap_interval(np.full(10, 3.0))
    assert (interval.low, interval.high) == (3, 3)


def map_interval(*samples, **options):
    return cluster_interval(map_of_samples(*samples), **options)


def sample(num_clips: int = 8, num: int = 200) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    clips = rng.integers(0, num_clips, num)
    labels = (rng.random(num) < 0.3).astype(int)
    scores = (rng.random(num) * 0.6 + 0.4 * labels).round(2)
    return scores, labels, np.array([f"clip{number}" for number in clips])


def test_it_is_that_of_clips_put_together_anew() -> None:
    scores, labels, clips = sample()
    names, values = np.unique(clips), []
    for drawn in np.random.default_rng(0).integers(0, len(names), (50, len(names))):
        rows = np.concatenate([np.flatnonzero(clips == names[number]) for number in drawn])
        values.append(mean_precision(scores[rows].tolist(), labels[rows].tolist()))
    interval = map_interval(scores, labels, clips, num_resamples=50)
    assert interval is not None
    np.testing.assert_allclose(
        [interval.low, interval.high], np.quantile(values, [0.025, 0.975]), atol=1e-12
    )


def test_it_repeats_and_widens_with_confidence() -> None:
    wide, narrow = (map_interval(*sample(), confidence=c, num_resamples=100) for c in (0.99, 0.5))
    assert wide is not None
    assert narrow is not None
    assert wide.low < narrow.low < narrow.high < wide.high
    assert map_interval(*sample(), confidence=0.99, num_resamples=100) == wide


def test_one_clip_has_none() -> None:
    scores, labels, _ = sample()
    assert map_interval(scores, labels, np.full(len(scores), "a")) is None
    assert map_interval(scores[:0], labels[:0], np.array([], dtype=str)) is None


def test_clips_without_a_class_are_no_interval() -> None:
    scores, clips = np.linspace(0, 1, 30), np.repeat([*"abcdef"], 5)
    assert map_interval(scores, np.zeros(30, int), clips) is None
    # All positives in one of six clips: a third of the resamples lack them.
    labels = (clips == "a").astype(int)
    assert map_interval(scores, labels, clips) is not None
    # Two clips of one class each: every resample with both is the same.
    assert map_interval(scores[:10], labels[:10], clips[:10]) is None


def test_scores_must_be_numbers() -> None:
    with pytest.raises(ValueError, match=r"1 of 2 .*scores\[0\] = nan"):
        map_interval(np.array([np.nan, 1]), np.array([0, 1]), np.array(["a", "b"]))


def test_a_cluster_counts_as_often_as_it_is_drawn():
    scores, labels, clips = lam_scores(0.2, "row", 0)
    values = np.random.default_rng(1).random(len(scores))
    times = np.array([[2, 0, 1, 3, 0, 0], [1, 1, 1, 1, 1, 1]])
    repeats = times[:, np.unique(clips, return_inverse=True)[1]]
    mean, precision = mean_of_samples(values, clips), map_of_samples(scores, labels, clips)
    assert mean.clusters == precision.clusters == tuple(f"clip{number}" for number in range(6))
    np.testing.assert_allclose(
        mean.measured(times), [np.repeat(values, each).mean() for each in repeats]
    )
    expected = [
        lam_precision(np.repeat(scores, each), np.repeat(labels, each)).mean for each in repeats
    ]
    np.testing.assert_allclose(precision.measured(times), expected)


def two_level(num_seeds, seed_std, num_clusters=40, num=5):
    """Samples whose mean differs by seed and by cluster."""
    generator = np.random.default_rng(2)
    people = np.repeat(np.arange(num_clusters), num)
    base = generator.normal(0, 1, num_clusters)[people]
    offsets = generator.normal(0, seed_std, num_seeds)
    return [mean_of_samples(5 + base + offset, people) for offset in offsets], base, people


def test_one_seed_gives_the_bootstrap_over_clusters():
    (samples,), base, people = two_level(1, 0.0)
    (means,) = resampled_means([[samples]])
    ours, reference = interval_of(means), bootstrap_interval(5 + base, clusters=people)
    assert (ours.low, ours.high) == pytest.approx((reference.low, reference.high), abs=0.05)


def test_seeds_that_differ_widen_the_interval():
    widths = []
    for std in (0.0, 1.0):
        interval = interval_of(resampled_means([two_level(5, std)[0]])[0])
        widths.append(interval.high - interval.low)
    assert widths[1] > 1.5 * widths[0]


def test_one_cluster_leaves_the_seeds_alone_to_draw():
    values = [1.0, 2.0, 4.0]
    row = [mean_of_samples(np.array([value]), np.array(["a"])) for value in values]
    (means,) = resampled_means([row])
    assert means.shape == (NUM_RESAMPLES,)
    assert means.min() == 1.0
    assert means.max() == 4.0
    assert means.mean() == pytest.approx(np.mean(values), abs=0.1)


def test_rows_share_their_clusters_so_that_what_they_share_cancels():
    (samples,), base, people = two_level(1, 0.0)
    better = mean_of_samples(4 + base, people)
    means, other = resampled_means([[samples], [better]])
    assert np.std(means) > 0.1
    np.testing.assert_allclose(other - means, -1.0)


@pytest.mark.parametrize(
    "row",
    [
        [],
        [None],
        [mean_of_samples(np.array([1.0]), np.array(["a"]))],
        [mean_of_samples(np.array([1.0]), np.array(["a"])), None],
    ],
)
def test_nothing_to_draw_from_gives_nothing(row):
    assert resampled_means([row]) == [None]


def test_other_samples_give_nothing():
    rows = [[mean_of_samples(np.ones(2), np.array([name, "x"]))] for name in "ab"]
    assert resampled_means(rows) == [None, None]


def test_too_few_defined_resamples_give_no_interval():
    means = np.full(100, np.nan)
    means[:50] = 1.0
    assert interval_of(means) is None
    means[:60] = 1.0
    assert interval_of(means).low == 1.0
