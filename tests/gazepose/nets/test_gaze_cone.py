"""Eye contact by gaze: what the cone says of gazes, uncertainties and heads that are known."""

from typing import Any

import numpy as np
import pytest
import torch
from builders.small_nets import FRAMES, small_gaze_cone
from numpy.testing import assert_allclose
from scipy.stats import logistic
from torch import Tensor

from gazepose.nets.backbones import resnet18
from gazepose.nets.gaze360 import Gaze360
from gazepose.nets.gaze_cone import GazeCone

EMBEDDING = torch.ones(1, 7, FRAMES["embedding"])
TINY_DEG = 1e-4


def told(net: GazeCone, yaw_deg: float, pitch_deg: float, uncertainty_deg: float) -> GazeCone:
    """The net, which says this of whatever it sees."""
    yaw, pitch, uncertainty = np.deg2rad([yaw_deg, pitch_deg, uncertainty_deg]) / np.pi
    says = [np.arctanh(yaw), np.arctanh(2 * pitch), np.log(uncertainty / (1 - uncertainty))]
    with torch.no_grad():
        net.last[0].weight.zero_()
        net.last[0].bias.copy_(torch.tensor(says))
    return net


def probability(
    yaw_deg: float, pitch_deg: float, uncertainty_deg: float, head: Any = None, **settings: Any
) -> float:
    net = told(
        small_gaze_cone(use_head=head is not None, **settings), yaw_deg, pitch_deg, uncertainty_deg
    )
    with torch.no_grad():
        bins = None if head is None else torch.tensor([head])
        return net.decide(EMBEDDING, head_bins=bins).softmax(1)[0, 1].item()


@pytest.mark.parametrize("gaze_deg", [(0, 0), (3, -4), (-20, 5), (60, -30)])
@pytest.mark.parametrize("uncertainty_deg", [2, 15, 60])
def test_it_is_the_probability_of_the_cone(
    gaze_deg: tuple[float, float], uncertainty_deg: float
) -> None:
    found = probability(*gaze_deg, uncertainty_deg, radius_deg=7, error_deg=TINY_DEG)
    # 80 % of errors lie within the uncertainty.
    scale = uncertainty_deg / logistic.ppf(0.9)
    parts = [np.diff(logistic.cdf([-7, 7], gaze, scale))[0] for gaze in gaze_deg]
    assert found == pytest.approx(np.prod(parts), rel=1e-4, abs=1e-6)


def test_an_error_beyond_the_uncertainty_widens_it() -> None:
    deviation = np.hypot(logistic.std(scale=10 / logistic.ppf(0.9)), 6)
    as_wide = deviation / logistic.std() * logistic.ppf(0.9)
    expected = probability(12, 3, as_wide, error_deg=TINY_DEG)
    assert probability(12, 3, 10, error_deg=6) == pytest.approx(expected, rel=1e-4)


def test_gaze_is_drawn_toward_the_head_by_how_sure_either_is() -> None:
    # As sure as each other: the middle of the two, and their variances added as parallel ones.
    deviation = logistic.std(scale=20 / logistic.ppf(0.9))
    both = {"error_deg": TINY_DEG, "split": 0.01}
    found = probability(10, -6, 20, head=[3000, 1000, 0], head_spread_deg=deviation, **both)
    middle = probability(20, -8, 20 / np.sqrt(2), error_deg=TINY_DEG)
    assert found == pytest.approx(middle, rel=1e-3)
    # A head that may be anywhere says nothing, one that must point along the gaze everything.
    free = probability(10, -6, 20, head=[3000, 1000, 0], head_spread_deg=1e5, **both)
    assert free == pytest.approx(probability(10, -6, 20, error_deg=TINY_DEG), rel=1e-4)
    tied = probability(10, -6, 20, head=[0, 0, 0], head_spread_deg=0.01, **both)
    assert tied == pytest.approx(1, abs=1e-3)


def test_either_side_is_alike_and_an_unknown_head_is_turned_away() -> None:
    ahead, aside = (probability(yaw, 2, 10, head=[5, 5, 0]) for yaw in (9, -9))
    assert ahead == pytest.approx(aside, rel=1e-5)
    assert probability(9, 2, 10, head=[90, 90, 90]) < 0.1 * ahead


def test_no_gaze_makes_its_logarithms_or_slopes_infinite() -> None:
    for angles in ((0.0, 0.0, 0.01), (179.0, 89.0, 0.01), (179.0, -89.0, 179.0)):
        net = told(small_gaze_cone(use_head=False, error_deg=TINY_DEG), *angles)
        outputs: Tensor = net.decide(EMBEDDING)
        outputs.sum().backward()
        assert outputs.isfinite().all()
        assert net.last[0].bias.grad is not None
        assert net.last[0].bias.grad.isfinite().all()
        assert_allclose(outputs.exp().sum().item(), 1, atol=1e-5)


def test_its_gaze_is_gaze360s() -> None:
    theirs = Gaze360(resnet18(4), **FRAMES).eval()
    net = small_gaze_cone(use_head=False, radius_deg=20).eval()
    net.load_state_dict(theirs.state_dict())
    generator = torch.Generator().manual_seed(0)
    clips = torch.randn(4, 7, 3, 64, 64, generator=generator)
    with torch.no_grad():
        gaze, uncertainty = theirs(clips)
        found = net(clips).softmax(1)[:, 1]
    for score, angles, spread in zip(found, gaze.rad2deg(), uncertainty.rad2deg(), strict=True):
        expected = probability(*angles.tolist(), spread.item(), radius_deg=20)
        assert score.item() == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("name", ["radius_deg", "head_spread_deg", "error_deg"])
def test_an_angle_of_nothing_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=rf"model\.net\.{name} is 0"):
        small_gaze_cone(**{name: 0})


def test_a_missing_head_pose_is_named() -> None:
    with pytest.raises(ValueError, match=r"head_bins.*priors=none"):
        small_gaze_cone().decide(EMBEDDING)
