"""Arrays of numbers as .npy files, of which nothing is believed before it is compared."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


def read_array(
    path: Path, check_shape: Callable[[tuple[int, ...]], None]
) -> npt.NDArray[np.generic]:
    """Read an array of numbers; read-only.

    Args:
        path: of the file.
        check_shape: raises ValueError for a shape that is not wanted, before its numbers are read.

    Raises:
        ValueError: If the file is missing, damaged, holds anything but numbers, or less than its
            header says.
    """
    try:
        with path.open("rb") as file:
            shape, is_fortran, dtype = _header(file)
            check_shape(shape)
            data = file.read(math.prod(shape) * dtype.itemsize)
    except OSError as error:
        raise ValueError(f"unreadable .npy file: {error.strerror}") from error
    if len(data) < math.prod(shape) * dtype.itemsize:
        raise ValueError(f"the .npy file ends early: its header says {shape} of {dtype}")
    return np.frombuffer(data, dtype).reshape(shape, order="F" if is_fortran else "C")


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    try:
        shape, is_fortran, dtype = _HEADERS[np.lib.format.read_magic(file)](file)
    # NumPy evaluates the header as Python: damage fails wherever it hits.
    except Exception as error:
        raise ValueError(f"no .npy file: {type(error).__name__} in its header") from error
    if dtype.kind not in "buif" or dtype.shape or min(shape, default=0) < 0:
        raise ValueError(f"the .npy file holds {shape} of {dtype}, no numbers")
    return shape, is_fortran, dtype
