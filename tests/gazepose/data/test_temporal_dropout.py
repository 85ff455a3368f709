"""Temporal dropout and what a clip shows instead of what is missing."""

import numpy as np
import pytest
from builders.golden_ego4d import expected

from gazepose.batch import BLACK, CENTRE
from gazepose.data.temporal_dropout import TemporalDropout, positions_to_show

PATTERNS = expected()["pad_video"]["patterns"]
NEIGHBOURS = [0, 1, 2, 4, 5, 6]


def test_packing_equals_the_originals_one_by_one_and_at_once() -> None:
    present = np.array([[c == "1" for c in pattern] for pattern, _ in PATTERNS])
    assert len(np.unique(present, axis=0)) == 128
    black, expected = np.zeros_like(present), [shown for _, shown in PATTERNS]
    assert positions_to_show(present, black).tolist() == expected
    assert [positions_to_show(one, black[0]).tolist() for one in present] == expected


def test_a_black_image_counts_as_missing_only_where_another_is() -> None:
    black = np.array([False, True, False, False, False, False, False])
    assert positions_to_show(np.ones(7, bool), black).tolist() == list(range(7))
    has_image = np.array([True] * 6 + [False])
    assert positions_to_show(has_image, black).tolist() == [0, 0, 2, 3, 4, 5, 5]


def test_packing_mirrors_with_its_pattern() -> None:
    generator = np.random.default_rng(0)
    present, black = generator.random((2, 50, 7)) < 0.5
    shown = positions_to_show(present, black)
    mirrored = positions_to_show(present[:, ::-1], black[:, ::-1])[:, ::-1]
    np.testing.assert_array_equal(np.where(mirrored == BLACK, BLACK, 6 - mirrored), shown)


# Dropout


def test_none_drops_nothing_and_uniform_only_in_training() -> None:
    p, draws = np.zeros((5, 7)), np.full((5, 6), 0.1)
    for mode in ("train", "val", "test"):
        assert not TemporalDropout("none").dropped(p, mode, draws).any()
    assert not TemporalDropout("uniform").dropped(p, "val").any()
    assert not TemporalDropout("uniform").dropped(p, "test").any()
    assert TemporalDropout("uniform").dropped(p, "train", draws)[:, NEIGHBOURS].all()


@pytest.mark.parametrize("kind", ["uniform", "gaussian"])
def test_training_never_drops_the_middle(kind: str) -> None:
    p, draws = np.zeros((50, 7)), np.random.default_rng(0).random((50, 6))
    dropped = TemporalDropout(kind, drop_rate=0.5).dropped(p, "train", draws)
    assert not dropped[:, CENTRE].any()
    assert dropped[:, NEIGHBOURS].any()


@pytest.mark.parametrize("p", [0.0, 0.3, 0.81])
def test_training_keeps_a_neighbour_with_probability_p_plus_margin(p: float) -> None:
    draws = np.random.default_rng(1).random((20_000, 6))
    dropped = TemporalDropout("gaussian").dropped(np.full((20_000, 7), p), "train", draws)
    kept = 1 - dropped[:, NEIGHBOURS].mean()
    # Five standard deviations of 120,000 draws.
    assert abs(kept - min(1, p + 0.2)) < 5 * 0.5 / np.sqrt(120_000)


def test_uniform_drops_at_its_rate_whatever_the_sharpness() -> None:
    generator = np.random.default_rng(2)
    p, draws = generator.random((20_000, 7)), generator.random((20_000, 6))
    dropped = TemporalDropout("uniform", drop_rate=0.3).dropped(p, "train", draws)[:, NEIGHBOURS]
    assert abs(dropped.mean() - 0.3) < 5 * 0.5 / np.sqrt(120_000)
    assert abs(np.corrcoef(dropped.ravel(), p[:, NEIGHBOURS].ravel())[0, 1]) < 0.02


def test_evaluation_decides_by_the_threshold_alone() -> None:
    p = np.array([0.0, 0.19999999, 0.2, 0.0, 0.9, np.nan, 0.1])
    dropout = TemporalDropout("gaussian")
    out = [True, True, False, False, False, False, True]
    assert dropout.dropped(p, "val").tolist() == out
    np.testing.assert_array_equal(dropout.dropped(p, "val"), dropout.dropped(p, "val"))
    # The original's test loader drops a blurred middle too.
    assert dropout.dropped(p, "test").tolist() == [True, True, False, True, False, False, True]
    kept = TemporalDropout("gaussian", drop_centre_at_test=False)
    assert kept.dropped(p, "test").tolist() == out


def test_what_has_no_sharpness_is_never_dropped() -> None:
    p = np.full((100, 7), np.nan)
    draws = np.random.default_rng(3).random((100, 6))
    for mode in ("train", "val", "test"):
        assert not TemporalDropout("gaussian").dropped(p, mode, draws).any()


def test_unknown_kinds_and_impossible_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match=r"dropout kind.*'gauss'.*'none', 'uniform', 'gaussian'"):
        TemporalDropout("gauss")
    for name in ("margin", "threshold", "drop_rate"):
        with pytest.raises(ValueError, match=rf"dropout {name}.* 1\.5.* 0 to 1"):
            TemporalDropout(**{name: 1.5})
