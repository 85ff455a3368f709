"""How sharp the face images of a video are: among the training images, or among its own so far."""

import numpy as np

from common.arrays import Float
from gazepose.store.ranking import Gaussian, gaussian_cdf


class SharpnessRanks:
    """Ranks of face images as they come.

    Args:
        trained: mean and standard deviation of the training images'; None fits them to the images
            ranked so far.
    """

    def __init__(self, trained: Gaussian | None) -> None:
        self._trained = trained
        self._num = 0
        self._mean = self._squares = 0.0

    def __call__(self, sharpness: Float) -> Float:
        """Return the ranks (n,) in [0, 1] of the next images; NaN while nothing ranks them."""
        if self._trained is not None:
            return gaussian_cdf(sharpness, *self._trained)
        # Welford's update: the squares of large numbers would cancel.
        for value in np.asarray(sharpness, np.float64).tolist():
            self._num += 1
            step = value - self._mean
            self._mean += step / self._num
            self._squares += step * (value - self._mean)
        variance = self._squares / (self._num - 1) if self._num > 1 else np.nan
        return gaussian_cdf(sharpness, self._mean, float(np.sqrt(variance)))
