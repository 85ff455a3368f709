"""Sharpness and its rank equal what the original's tool gives (golden/gazepose/quality)."""

import json
from typing import Any

import cv2
import numpy as np
import pytest
from builders.golden_ego4d import GOLDEN_DIR
from scipy.stats import norm

from gazepose.preprocessing.face_image import sharpness
from gazepose.store.ranking import fit_gaussian, gaussian_cdf

QUALITY: dict[str, Any] = json.loads((GOLDEN_DIR / "quality" / "quality_expected.json").read_text())
NAMES = sorted(QUALITY["images"])


@pytest.mark.parametrize("name", NAMES)
def test_sharpness_is_the_recorded_one(name: str) -> None:
    image = cv2.imread(str(GOLDEN_DIR / "quality" / f"{name}.png"))
    expected = QUALITY["images"][name]["laplacian_var_all_channels"]
    assert sharpness(image) == pytest.approx(expected, rel=1e-12)
    assert sharpness(image[..., ::-1].copy()) == pytest.approx(expected, rel=1e-12)


def test_ranks_are_the_recorded_ones() -> None:
    recorded = QUALITY["gaussian"]
    values = np.array([QUALITY["images"][n]["laplacian_var_all_channels"] for n in NAMES])
    mean, std = fit_gaussian(values)
    assert mean == pytest.approx(recorded["mean"], rel=1e-12)
    assert std == pytest.approx(recorded["std_ddof1"], rel=1e-12)
    expected = [recorded["p"][name] for name in NAMES]
    np.testing.assert_allclose(gaussian_cdf(values, mean, std), expected, rtol=1e-12)


def test_ranks_equal_scipys_far_into_the_tails() -> None:
    values = np.linspace(-30, 30, 301)
    expected = norm.cdf(values, 0.5, 2.0)
    np.testing.assert_allclose(gaussian_cdf(values, 0.5, 2.0), expected, rtol=1e-12)


@pytest.mark.parametrize("values", [[], [3.0], [3.0, 3.0, 3.0]])
def test_nothing_ranks_without_spread(values: list[float]) -> None:
    ranks = gaussian_cdf(np.array(values), *fit_gaussian(np.array(values)))
    assert len(ranks) == len(values)
    assert np.isnan(ranks).all()


def test_ranks_ascend_with_sharpness_and_the_mean_is_in_the_middle() -> None:
    values = np.array([1.0, 4.0, 5.0, 10.0])
    ranks = gaussian_cdf(values, *fit_gaussian(values))
    assert (np.diff(ranks) > 0).all()
    assert gaussian_cdf(np.array([5.0]), 5.0, 3.0)[0] == 0.5
