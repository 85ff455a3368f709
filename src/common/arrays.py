"""Types of arrays, by what they hold; docstrings say their shapes and units."""

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Bools = npt.NDArray[np.bool_]
Float = npt.NDArray[np.floating[Any]]
Image = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.integer[Any]]
