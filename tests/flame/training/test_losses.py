import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from flame.training.losses import AngularLoss, VectorDifferenceLoss

# Ranges of gaze in radians (facts of the published data sets).
RANGES = {
    "eyediap": (-0.22343134203226836, 0.2711951242385745),
    "columbiagaze": (-0.2617993877991494, 0.2617993877991494),
}
# Sets whose errors are large enough for the original's arc cosine to be accurate.
ORDINARY_SETS = ["near", "far", "wild", "corners"]


@pytest.fixture(scope="module")
def golden_losses(golden_dir: Path) -> Any:
    return json.loads((golden_dir / "losses.json").read_text())


def random_gaze(num: int, seed: int, dtype: torch.dtype = torch.float64) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return (torch.rand(num, 2, generator=generator, dtype=dtype) - 0.5) * 1.2


def gradient(loss: Tensor, values: Tensor) -> Tensor:
    return torch.autograd.grad(loss, values)[0]


@pytest.mark.parametrize("name", ORDINARY_SETS)
@pytest.mark.parametrize("dataset", sorted(RANGES))
@pytest.mark.parametrize(
    ("loss", "key"), [(VectorDifferenceLoss(), "vector"), (AngularLoss(), "angular")]
)
def test_equals_the_original(
    golden_losses: Any, loss: torch.nn.Module, key: str, dataset: str, name: str
) -> None:
    low, high = RANGES[dataset]
    pairs, expected = golden_losses["sets"][name], golden_losses["values"][f"{dataset}/{name}/f64"]
    target = torch.tensor(pairs["target"], dtype=torch.float64) * (high - low) + low
    prediction = torch.tensor(pairs["pred"], dtype=torch.float64).requires_grad_()
    value = loss(prediction * (high - low) + low, target)
    assert value.item() == pytest.approx(expected[key], rel=1e-11)
    expected_gradient = torch.tensor(expected[f"{key}_grad_pred"], dtype=torch.float64)
    # The original's arc cosine loses digits near zero, its gradient more of them.
    torch.testing.assert_close(
        gradient(value, prediction), expected_gradient, rtol=1e-9, atol=1e-11
    )


def test_vector_difference_is_a_function_of_the_angle() -> None:
    prediction, target = random_gaze(50, 0), random_gaze(50, 1)
    for p, t in zip(prediction, target, strict=True):
        angle = AngularLoss()(p, t)
        expected = 2 - 2 * torch.cos(angle)
        torch.testing.assert_close(VectorDifferenceLoss()(p, t), expected, rtol=1e-11, atol=0)


@pytest.mark.parametrize("loss", [VectorDifferenceLoss(), AngularLoss()])
def test_symmetric_and_zero_with_zero_gradient_only_at_equality(loss: torch.nn.Module) -> None:
    prediction, target = random_gaze(20, 0), random_gaze(20, 1)
    torch.testing.assert_close(loss(prediction, target), loss(target, prediction))
    equal = target.clone().requires_grad_()
    value = loss(equal, target)
    assert value.item() == 0
    assert torch.equal(gradient(value, equal), torch.zeros_like(equal))
    assert loss(target + 1e-6, target) > 0


def test_mean_over_the_batch() -> None:
    target = torch.zeros(2, 2)
    prediction = torch.tensor([[0.0, 0.3], [0.1, 0.0]])
    assert AngularLoss()(prediction, target).item() == pytest.approx(0.2, rel=1e-6)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("epsilon", [0.0, 1e-7, 1e-4, 1e-2])
def test_angular_loss_is_never_nan(dtype: torch.dtype, epsilon: float) -> None:
    # At these errors 15 % (equal) to 0.01 % of the original's float32 losses are NaN.
    target = random_gaze(200_000, 0, dtype)
    noise = torch.randn(target.shape, generator=torch.Generator().manual_seed(1), dtype=dtype)
    prediction = (target + epsilon * noise).requires_grad_()
    value = AngularLoss()(prediction, target)
    assert math.isfinite(value.item())
    slope = gradient(value, prediction) * len(target)
    assert slope.isfinite().all()
    # An angle changes at most as fast as its coordinates do.
    assert slope.norm(dim=1).max() <= 1.001
