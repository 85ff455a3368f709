import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal

from flame import render_heatmaps
from flame.data.crops import crop_eye

SETS = ["plausible", "mostly_outside", "integer_coincident"]
PEAK = 1 / (2 * math.pi)


@pytest.fixture(scope="module")
def golden_heatmaps(golden_dir: Path) -> Any:
    return np.load(golden_dir / "heatmaps.npz")


@pytest.fixture(scope="module")
def golden_numbers(golden_dir: Path) -> Any:
    return json.loads((golden_dir / "heatmaps.json").read_text())


def random_landmarks(num: int, low: float = -20, high: float = 140, seed: int = 0) -> torch.Tensor:
    values = np.random.default_rng(seed).uniform(low, high, (num, 112))
    return torch.from_numpy(values)


def landmarks_at(x: float, y: float) -> torch.Tensor:
    """All points far outside the frame, but right-eye point 3."""
    landmarks = torch.full((1, 112), -1000.0, dtype=torch.float64)
    landmarks[0, 3], landmarks[0, 56 + 3] = x, y
    return landmarks


@pytest.mark.parametrize("name", SETS)
def test_equals_the_original(golden_heatmaps: Any, name: str) -> None:
    landmarks = torch.from_numpy(golden_heatmaps[f"lm_{name}"])[None]
    ours = render_heatmaps(landmarks, 60, 80)[0].permute(1, 2, 0).contiguous().numpy()
    # The original evaluates a multivariate density, whose rounding differs in the last digits.
    thinned, expected = ours.reshape(-1)[::97], golden_heatmaps[f"f64_every97_{name}"]
    np.testing.assert_allclose(thinned, expected, rtol=1e-12, atol=1e-300)
    np.testing.assert_allclose(ours, golden_heatmaps[f"f32_{name}"], atol=2e-8)
    np.testing.assert_allclose(
        ours.sum((0, 1)), golden_heatmaps[f"f64_channel_sum_{name}"], rtol=1e-12
    )
    np.testing.assert_allclose(
        ours.max((0, 1)), golden_heatmaps[f"f64_channel_max_{name}"], rtol=1e-12
    )


@pytest.mark.parametrize("name", SETS)
def test_float32_equals_the_original(golden_heatmaps: Any, name: str) -> None:
    landmarks = torch.from_numpy(golden_heatmaps[f"lm_{name}"]).float()[None]
    ours = render_heatmaps(landmarks, 60, 80)[0].permute(1, 2, 0)
    assert ours.dtype == torch.float32
    np.testing.assert_allclose(ours, golden_heatmaps[f"f32_{name}"], rtol=0, atol=1e-6)


@pytest.mark.parametrize("variance", [0.5, 4])
def test_other_variances_equal_the_original(
    golden_heatmaps: Any, golden_numbers: Any, variance: float
) -> None:
    landmarks = torch.from_numpy(golden_heatmaps["lm_plausible"])[None]
    ours = render_heatmaps(landmarks, 60, 80, variance)[0]
    expected = golden_numbers[f"plausible_cov_{variance}"]
    assert ours.sum().item() == pytest.approx(expected["sum"], rel=1e-12)
    assert ours.max().item() == pytest.approx(expected["max"], rel=1e-12)
    np.testing.assert_allclose(ours[:8, 30, 22], expected["y30_x22_first8"], rtol=1e-11)


def test_equals_scipy_on_a_non_square_frame() -> None:
    landmarks = random_landmarks(1, 0, 40)
    ours = render_heatmaps(landmarks, 31, 47, variance=2.5)[0]
    points = landmarks.numpy().reshape(2, 56).T
    pixels = np.stack(np.meshgrid(np.arange(47), np.arange(31)), -1)
    for channel in (0, 13, 27):
        expected = sum(
            multivariate_normal(points[i], 2.5 * np.eye(2)).pdf(pixels)
            for i in (channel, channel + 28)
        )
        np.testing.assert_allclose(ours[channel], expected, rtol=1e-11, atol=1e-300)


def test_peak_is_at_the_integer_pixel_and_coincident_points_add() -> None:
    landmarks = landmarks_at(11, 7)
    heatmaps = render_heatmaps(landmarks, 20, 30)
    assert heatmaps[0, 3, 7, 11].item() == pytest.approx(PEAK, rel=1e-15)
    assert heatmaps.argmax().item() == 3 * 20 * 30 + 7 * 30 + 11
    landmarks[0, 28 + 3], landmarks[0, 56 + 28 + 3] = 11, 7
    both = render_heatmaps(landmarks, 20, 30)
    torch.testing.assert_close(both, 2 * heatmaps, rtol=1e-15, atol=0)


def test_points_outside_the_frame_leave_their_tails_or_nothing() -> None:
    inside_edge = render_heatmaps(landmarks_at(-1, 5), 10, 10)
    assert inside_edge[0, 3, 5, 0].item() == pytest.approx(PEAK * math.exp(-0.5), rel=1e-14)
    assert render_heatmaps(landmarks_at(1e6, -1e6), 10, 10).abs().sum() == 0


def test_the_two_eyes_share_channels() -> None:
    landmarks = random_landmarks(2)
    points = landmarks.reshape(2, 2, 2, 28)
    swapped = points.flip(2).reshape(2, 112)
    torch.testing.assert_close(
        render_heatmaps(swapped), render_heatmaps(landmarks), rtol=1e-14, atol=1e-300
    )


def test_nan_ruins_its_own_channel_only(golden_numbers: Any) -> None:
    landmarks = random_landmarks(2)
    (channel,) = golden_numbers["nan_landmark"]["nan_channels"]
    clean = render_heatmaps(landmarks)
    landmarks[1, 28 + channel] = math.nan
    ours = render_heatmaps(landmarks)
    assert ours[1, channel].isnan().all()
    ours[1, channel] = clean[1, channel]
    assert torch.equal(ours, clean)


@pytest.mark.parametrize("eye", ["right", "left"])
def test_rendering_at_crop_coordinates_equals_cropping_the_full_map(eye: Any) -> None:
    rng = np.random.default_rng(5)
    landmarks = np.concatenate([rng.uniform(120, 240, 56), rng.uniform(150, 250, 56)])
    full = render_heatmaps(torch.from_numpy(landmarks)[None], 450, 384)[0]
    cropped, moved = crop_eye(full.permute(1, 2, 0).numpy(), landmarks, eye)
    ours = render_heatmaps(torch.from_numpy(moved)[None])[0].permute(1, 2, 0)
    # Moving a coordinate by whole pixels rounds it once more: 1e-13 of it in the exponent.
    np.testing.assert_allclose(ours, cropped, rtol=0, atol=1e-13)


def test_every_sample_of_a_batch_is_rendered_alone() -> None:
    landmarks = random_landmarks(4).float()
    batch = render_heatmaps(landmarks)
    assert batch.shape == (4, 28, 120, 120)
    for i in range(4):
        assert torch.equal(batch[i : i + 1], render_heatmaps(landmarks[i : i + 1]))


def test_autocast_does_not_lower_the_precision() -> None:
    landmarks = random_landmarks(1).float()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        ours = render_heatmaps(landmarks)
    assert torch.equal(ours, render_heatmaps(landmarks))


def test_gradient_reaches_the_landmarks() -> None:
    landmarks = random_landmarks(1, 0, 8).requires_grad_()
    assert torch.autograd.gradcheck(lambda points: render_heatmaps(points, 6, 9), landmarks)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_equals_cpu() -> None:
    landmarks = random_landmarks(3)
    ours = render_heatmaps(landmarks.cuda())
    assert ours.is_cuda
    torch.testing.assert_close(ours.cpu(), render_heatmaps(landmarks), rtol=0, atol=1e-14)


def test_wrong_input_is_named() -> None:
    with pytest.raises(ValueError, match=r"\(112,\).*\(B, 112\).*landmarks\[None\]"):
        render_heatmaps(torch.zeros(112))
    with pytest.raises(ValueError, match=r"torch\.int64"):
        render_heatmaps(torch.zeros(1, 112, dtype=torch.int64))
    with pytest.raises(ValueError, match=r"variance.* 0"):
        render_heatmaps(torch.zeros(1, 112), variance=0)
