"""Losses: known values, and what their minimum means."""

import pytest
import torch

from gazepose.training.losses import PinballLoss, WeightedCrossEntropy


def test_cross_entropy_divides_by_the_weights_of_the_batch() -> None:
    loss = WeightedCrossEntropy()
    loss.set_weights(torch.tensor([0.25, 0.75]))
    logits = torch.tensor([[0.0, 0.0], [2.0, 0.0], [0.0, 1.0]], dtype=torch.float64)
    label = torch.tensor([0, 1, 1])
    nll = -torch.log_softmax(logits, 1)[torch.arange(3), label]
    weights = torch.tensor([0.25, 0.75, 0.75])
    expected = (nll * weights).sum() / weights.sum()
    torch.testing.assert_close(loss(logits, label).double(), expected, atol=1e-6, rtol=0)


def test_equal_weights_are_no_weights() -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(5, 2, generator=generator)
    label = torch.tensor([0, 1, 1, 0, 1])
    expected = torch.nn.functional.cross_entropy(logits, label)
    torch.testing.assert_close(WeightedCrossEntropy()(logits, label), expected)


def test_pinball_known_value() -> None:
    prediction, uncertainty = torch.zeros(1, 2), torch.full((1, 1), 0.5)
    target = torch.tensor([[1.0, -1.0]])
    # 1: 0.1 * 1.5 + 0.9 * 0.5; -1: 0.9 * 0.5 + 0.1 * 1.5
    torch.testing.assert_close(
        PinballLoss()(prediction, uncertainty, target), torch.tensor(0.15 + 0.45)
    )


def test_pinball_is_least_at_the_quantiles_of_the_targets() -> None:
    target = torch.linspace(-1, 1, 2001)[:, None].expand(-1, 2)
    losses = {
        width: float(PinballLoss()(torch.zeros(1, 2), torch.full((1, 1), width), target))
        for width in (0.6, 0.7, 0.8, 0.9, 1.0)
    }
    assert min(losses, key=losses.__getitem__) == 0.8


def test_a_quantile_beyond_the_median_is_refused() -> None:
    with pytest.raises(ValueError, match=r"low.* 0\.6.* 0 and 0\.5"):
        PinballLoss(0.6)


def test_angle_weight_adds_the_mean_absolute_error() -> None:
    generator = torch.Generator().manual_seed(0)
    prediction, target = torch.randn(2, 5, 2, generator=generator)
    uncertainty = torch.rand(5, 1, generator=generator)
    published = PinballLoss()(prediction, uncertainty, target)
    added = PinballLoss(angle_weight=0.5)(prediction, uncertainty, target) - published
    torch.testing.assert_close(added, 0.5 * (prediction - target).abs().mean())


def test_within_the_uncertainty_only_the_weighted_angles_learn() -> None:
    prediction = torch.zeros(3, 2, requires_grad=True)
    target, uncertainty = torch.full((3, 2), 0.1), torch.full((3, 1), 0.5)
    (gradient,) = torch.autograd.grad(PinballLoss()(prediction, uncertainty, target), prediction)
    assert gradient.abs().max() < 1e-7
    loss = PinballLoss(angle_weight=1.0)(prediction, uncertainty, target)
    (gradient,) = torch.autograd.grad(loss, prediction)
    torch.testing.assert_close(gradient, torch.full((3, 2), -1 / 6))


def test_a_negative_angle_weight_is_refused() -> None:
    with pytest.raises(ValueError, match=r"angle_weight.* -1\.0.* 0 "):
        PinballLoss(angle_weight=-1.0)
