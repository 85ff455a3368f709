"""How sharp a face image is among the images of its part.

The original's ``p`` is the Gaussian distribution function of the sharpness, mean and standard
deviation (n - 1) pooled over all images of the part.
"""

import math

import numpy as np

from common.arrays import Float

_erfc = np.frompyfunc(math.erfc, 1, 1)


def fit_gaussian(values: Float) -> tuple[float, float]:
    """Return mean and standard deviation (n - 1) of values (N,); NaN where they have none."""
    values = np.asarray(values, np.float64)
    mean = float(values.mean()) if len(values) else math.nan
    return mean, float(values.std(ddof=1)) if len(values) > 1 else math.nan


def gaussian_cdf(values: Float, mean: float, std: float) -> Float:
    """Return the distribution function of a Gaussian at values (N,), in [0, 1].

    All NaN where the Gaussian has no spread, as one image or equal images give: nothing ranks.
    """
    values = np.asarray(values, np.float64)
    if not std > 0:
        return np.full(len(values), math.nan)
    # The complementary error function keeps its digits in the lower tail.
    tail = _erfc(-(values - mean) / (std * math.sqrt(2.0)))
    return np.asarray(0.5 * tail.astype(np.float64))
