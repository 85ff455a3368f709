"""How sharp a face image is among the images of its part.

The original's ``p`` is the Gaussian distribution function of the sharpness, mean and standard
deviation (n - 1) pooled over all images of the part.
"""

import logging
import math
from pathlib import Path

import numpy as np
import polars as pl

from common.arrays import Float
from common.files.sealed import scan_table
from gazepose.store.reading import FRAMES_FILE, REMEDY

LOG = logging.getLogger(__name__)
Gaussian = tuple[float, float]
"""Mean and standard deviation of sharpness."""
_erfc = np.frompyfunc(math.erfc, 1, 1)


def fit_gaussian(values: Float) -> Gaussian:
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


def trained_ranking(store_dir: Path | None) -> Gaussian | None:
    """Return mean and standard deviation of the sharpness of a store's training images.

    None without a store, or where its folder is gone.

    Raises:
        ValueError: If its table is damaged.
    """
    path = None if store_dir is None else store_dir / FRAMES_FILE
    if path is None or not path.is_file():
        LOG.info("no training store at hand: a video's faces are ranked among themselves")
        return None
    is_ranked = (pl.col("part") == "train") & pl.col("sharpness").is_not_nan()
    sharpness = scan_table(path, REMEDY).filter(is_ranked).select("sharpness").collect()
    return fit_gaussian(sharpness["sharpness"].to_numpy())
