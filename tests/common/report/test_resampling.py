"""Resampling of seeds and clusters: equal to repeating the samples, and to known cases."""

import numpy as np
import polars as pl
import pytest
from builders.fabricated_runs import lam_scores, study_plan, write_gaze_job, write_lam_job

from common.evaluation.average_precision import lam_precision
from common.evaluation.metrics import bootstrap_interval
from common.report.reading import read_results
from common.report.samples import map_of_samples, mean_of_samples
from common.report.study.resampling import NUM_RESAMPLES, interval_of, resampled_means


def drawn_once(num_clusters):
    return np.ones((1, num_clusters), dtype=np.int64)


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


def test_samples_beside_a_summary_give_its_number(tmp_path):
    plan = study_plan(rows=("off",), seeds=(0,))
    write_lam_job(tmp_path / "a", plan, "off", 0, skill=0.2)
    write_gaze_job(tmp_path / "b", plan, "off", 0, errors_deg={"demo_gaze": 3.0})
    tests = read_results(tmp_path).tests
    assert {test.kind_name for test in tests} == {"eye_contact_test", "gaze_angle_test"}
    for test in tests:
        samples = test.samples()
        (value,) = samples.measured(drawn_once(len(samples.clusters)))
        assert value == pytest.approx(test.value)


def test_unknown_labels_are_no_samples(tmp_path):
    run = write_lam_job(tmp_path / "a", study_plan(), "off", 0, skill=0.2)
    (path,) = run.glob("test/*.parquet")
    table = pl.read_parquet(path)
    pl.concat([table, table.with_columns(label=pl.lit(-1, pl.Int64))]).write_parquet(path)
    (test,) = read_results(tmp_path).tests
    (value,) = test.samples().measured(drawn_once(6))
    assert value == pytest.approx(test.summary["map"])


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
    assert interval_of(None) is None


def test_other_samples_give_nothing():
    rows = [[mean_of_samples(np.ones(2), np.array([name, "x"]))] for name in "ab"]
    assert resampled_means(rows) == [None, None]


def test_too_few_defined_resamples_give_no_interval():
    means = np.full(100, np.nan)
    means[:50] = 1.0
    assert interval_of(means) is None
    means[:60] = 1.0
    assert interval_of(means).low == 1.0
