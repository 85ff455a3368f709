"""The interval of the mAP over clips, against resampling by hand."""

import numpy as np
import pytest
from builders.brute_precision import mean_precision

from gazepose.evaluation.map_interval import map_interval


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
    with pytest.raises(ValueError, match="not finite"):
        map_interval(np.array([np.nan, 1]), np.array([0, 1]), np.array(["a", "b"]))
