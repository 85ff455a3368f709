"""A fit of a person's map: it never goes further than the samples and how people differ tell."""

import numpy as np
import pytest
import torch

from common.arrays import Float
from flame.evaluation.calibration_fit import PeoplePrior, fit_calibration, fit_prior

NOISE_RAD = (0.06, 0.1)
OFFSET_RAD = (0.03, 0.05)
GAIN = ((0.2, 0.02), (0.1, 0.3))
TRUE = PeoplePrior(1, NOISE_RAD, OFFSET_RAD, GAIN)


def people(num: int, num_samples: int, noise: float = 1.0) -> list[tuple[Float, Float]]:
    """People who differ as above."""
    generator = np.random.default_rng([num, num_samples])
    prediction = generator.normal(0, 0.2, (num, num_samples, 2))
    offset = generator.normal(0, OFFSET_RAD, (num, 1, 2))
    gain = generator.normal(0, GAIN, (num, 2, 2))
    residual = offset + prediction @ gain.transpose(0, 2, 1)
    residual += noise * generator.normal(0, NOISE_RAD, residual.shape)
    return list(zip(prediction, residual, strict=True))


def square_errors(num_samples: int, prior: PeoplePrior) -> tuple[float, float]:
    """Mean square error on others than the first samples, without a calibration and with one."""
    before, after = [], []
    for prediction, residual in people(400, 60):
        fitted = fit_calibration(prediction[:num_samples], residual[:num_samples], prior)
        said, target = prediction[40:], (prediction + residual)[40:]
        before.append(np.square(said - target).mean())
        mapped = fitted(torch.from_numpy(said)).numpy()
        after.append(np.square(mapped - target).mean())
    return float(np.mean(before)), float(np.mean(after))


def test_a_prior_is_how_people_differ() -> None:
    found = fit_prior(people(300, 40))
    assert found.num_people == 300
    np.testing.assert_allclose(found.noise_rad, NOISE_RAD, rtol=0.02)
    np.testing.assert_allclose(found.offset_rad, OFFSET_RAD, rtol=0.15)
    np.testing.assert_allclose(found.gain, GAIN, rtol=0.15, atol=0.02)


def test_more_samples_help_more_and_one_does_no_harm() -> None:
    """Where a sample's noise is twice what people's offsets are: its residual as it is does."""
    prior = fit_prior(people(8, 100))
    before, *after = [square_errors(1, prior)[0]] + [
        square_errors(num, prior)[1] for num in (1, 3, 5, 9, 20, 40)
    ]
    assert (np.diff([before, *after]) < 0).all()
    believing = PeoplePrior(1, NOISE_RAD, (100, 100), np.zeros((2, 2)).tolist())
    assert square_errors(1, believing)[1] > 1.3 * before


def test_many_samples_find_the_map() -> None:
    ((prediction, residual),) = people(1, 20_000, noise=0.1)
    ((_, exact),) = people(1, 20_000, noise=0)
    mapped = fit_calibration(prediction, residual, TRUE)(torch.from_numpy(prediction)).numpy()
    np.testing.assert_allclose(mapped, prediction + exact, atol=1e-3)


@pytest.mark.parametrize("num_samples", [1, 40])
def test_where_people_do_not_differ_nothing_is_moved(num_samples: int) -> None:
    ((prediction, residual),) = people(1, num_samples)
    fitted = fit_calibration(
        prediction, residual, PeoplePrior(9, NOISE_RAD, (0, 0), ((0, 0), (0, 0)))
    )
    np.testing.assert_array_equal(fitted.matrix, np.eye(2))
    np.testing.assert_array_equal(fitted.offset, [0, 0])


@pytest.mark.parametrize("num_samples", [1, 2, 9])
def test_samples_without_noise_are_met(num_samples: int) -> None:
    ((prediction, residual),) = people(1, num_samples, noise=0)
    found = fit_calibration(prediction, residual, PeoplePrior(9, (0, 0), OFFSET_RAD, GAIN))
    mapped = found(torch.from_numpy(prediction)).numpy()
    np.testing.assert_allclose(mapped, prediction + residual, atol=1e-9)


@pytest.mark.parametrize("noise", [0, 1])
def test_a_prior_of_few_people_or_samples_is_finite(noise: float) -> None:
    for num, num_samples in ((1, 1), (1, 9), (5, 2)):
        found = fit_prior(people(num, num_samples, noise))
        numbers = [*found.noise_rad, *found.offset_rad, *np.ravel(found.gain)]
        assert np.isfinite(numbers).all()
