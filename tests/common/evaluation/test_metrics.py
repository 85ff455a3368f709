"""Errors over a data set."""

import math
from typing import Any

import numpy as np
import pytest
import torch

from common.evaluation.metrics import AngularError


def angles(seed: int, num: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return (torch.rand(num, 2, generator=generator) - 0.5) * 0.8


def error_deg(prediction: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Arc cosine in float64: an independent computation."""

    def vector(gaze: np.ndarray) -> np.ndarray:
        yaw, pitch = gaze.astype(np.float64).T
        parts = [np.cos(pitch) * np.sin(yaw), np.sin(pitch), np.cos(pitch) * np.cos(yaw)]
        return np.stack(parts, axis=1)

    cosine = (vector(prediction) * vector(target)).sum(axis=1)
    return np.rad2deg(np.arccos(np.clip(cosine, -1, 1)))


def test_the_mean_error_weighs_every_sample_alike_whatever_the_batches() -> None:
    prediction, target = angles(0, 23), angles(1, 23)
    metric = AngularError()
    for part in (slice(0, 8), slice(8, 16), slice(16, 23)):
        metric.update(prediction[part], target[part])
    expected = error_deg(prediction.numpy(), target.numpy()).mean()
    # float32 angles of a few tenths of a radian.
    assert float(metric.compute()) == pytest.approx(expected, abs=1e-4)


class OnMps(torch.Tensor):
    """Refuses float64 until it is moved to the CPU, as tensors on MPS do."""

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is torch.Tensor.double:
            raise TypeError("Cannot convert a MPS Tensor to float64 dtype")
        result = super().__torch_function__(func, types, args, kwargs or {})
        return result.as_subclass(torch.Tensor) if func is torch.Tensor.cpu else result


def test_a_device_without_float64_will_do() -> None:
    metric = AngularError()
    metric.update(angles(0, 23).as_subclass(OnMps), angles(1, 23).as_subclass(OnMps))
    assert any(isinstance(error, OnMps) for error in metric.errors_deg)
    expected = error_deg(angles(0, 23).numpy(), angles(1, 23).numpy()).mean()
    assert float(metric.compute()) == pytest.approx(expected, abs=1e-4)


def test_the_mean_is_that_of_the_exact_sum() -> None:
    metric = AngularError()
    generator = torch.Generator().manual_seed(0)
    target = torch.rand(200_000, 2, generator=generator) - 0.5
    metric.update(torch.zeros_like(target), target)
    errors = torch.cat(metric.errors_deg).tolist()
    assert float(metric.compute()) == np.float32(math.fsum(errors) / len(errors))


def test_ten_degrees_are_ten_degrees() -> None:
    metric = AngularError()
    metric.update(torch.deg2rad(torch.tensor([[10.0, 0.0]])), torch.zeros(1, 2))
    assert float(metric.compute()) == pytest.approx(10, abs=1e-4)


def test_reset_forgets() -> None:
    metric = AngularError()
    metric.update(angles(0, 4), angles(1, 4))
    metric.reset()
    metric.update(angles(0, 4), angles(0, 4))
    assert float(metric.compute()) == 0


def test_low_precision_is_evaluated_in_float32() -> None:
    metric = AngularError()
    metric.update(torch.zeros(1, 2, dtype=torch.bfloat16), torch.deg2rad(torch.tensor([[0.0, 3]])))
    assert float(metric.compute()) == pytest.approx(3, abs=1e-4)
