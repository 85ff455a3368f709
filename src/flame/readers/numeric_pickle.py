"""Pickles of numbers, read without running anything they name.

A pickle is a program: the ordinary unpickler imports and calls what the file says. FLAME's layout
stores its labels as pickles, and people pass them on. Here the few names that NumPy arrays need
stand for small classes of this module, which build the array themselves; any other name is
refused, and so is every value that is no number.
"""

from __future__ import annotations

import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

_DTYPE = re.compile(r"[biuf]\d{1,2}")
_NUMBERS = (bool, int, float, np.number, np.bool_, np.ndarray)


class _Dtype:
    """Stands for numpy.dtype: a kind and size such as ``f8``, and a byte order."""

    def __init__(self, name: str, *_: Any) -> None:
        if not isinstance(name, str) or not _DTYPE.fullmatch(name):
            raise pickle.UnpicklingError(f"it holds values of NumPy type {name!r}, not numbers")
        self._name = name
        self._order = "="

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self._order = str(state[1])

    def resolve(self) -> np.dtype[Any]:
        return np.dtype(self._order + self._name)


class _Array:
    """Stands for an array under construction; its state holds shape, type, order and bytes."""

    def __init__(self, *_: Any) -> None:
        self.array: np.ndarray[Any, Any] | None = None

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, shape, dtype, is_fortran, data = state
        self.array = _array(data, dtype, shape, "F" if is_fortran else "C")


def _array(data: Any, dtype: _Dtype, shape: tuple[int, ...], order: str) -> Any:
    # Pickles of Python 2 hold the bytes as text.
    raw = data.encode("latin1") if isinstance(data, str) else bytes(data)
    values = np.frombuffer(raw, dtype.resolve())
    return values.reshape(shape, order="F" if order == "F" else "C").copy()


def _scalar(dtype: _Dtype, data: Any) -> Any:
    return _array(data, dtype, (1,), "C")[0]


def _latin1(text: str, encoding: str) -> bytes:
    if encoding.replace("-", "").lower() != "latin1":
        raise pickle.UnpicklingError(f"it encodes text as {encoding!r}")
    return text.encode("latin1")


def _no_bytes() -> bytes:
    """Stand for ``bytes()``: how protocols 0 to 2 write the data of an empty array."""
    return b""


# NumPy 2 renamed numpy.core to numpy._core.
_STAND_INS: dict[tuple[str, str], Callable[..., Any]] = {
    ("numpy", "dtype"): _Dtype,
    ("numpy", "ndarray"): _Array,
    ("_codecs", "encode"): _latin1,
    ("__builtin__", "bytes"): _no_bytes,
}
for _core in ("numpy.core", "numpy._core"):
    _STAND_INS[f"{_core}.multiarray", "_reconstruct"] = _Array
    _STAND_INS[f"{_core}.multiarray", "scalar"] = _scalar
    _STAND_INS[f"{_core}.numeric", "_frombuffer"] = _array


class _NumericUnpickler(pickle.Unpickler):
    def find_class(self, module_name: str, global_name: str) -> Any:
        if (module_name, global_name) not in _STAND_INS:
            raise pickle.UnpicklingError(f"it asks for {module_name}.{global_name}")
        return _STAND_INS[module_name, global_name]


def read_numeric_pickle(path: Path, *, with_text: bool = False) -> Any:
    """Read a pickle of numbers, NumPy arrays, and lists, tuples and dictionaries of them.

    Args:
        path: of the file.
        with_text: allow text, too.

    Raises:
        ValueError: If the file is damaged, or asks for anything else; it says for what. Nothing
            that the file names has been imported or called.
    """
    try:
        with path.open("rb") as file:
            content = _NumericUnpickler(file, encoding="latin1").load()
        return _finished(content, _NUMBERS + (str,) * with_text)
    # A damaged pickle fails in whatever instruction the damage hits.
    except Exception as error:
        raise ValueError(
            f"{path} is not a pickle of numbers and NumPy arrays: {error or type(error).__name__}"
        ) from error


def _finished(value: Any, kinds: tuple[type, ...]) -> Any:
    """Replace the stand-ins by their arrays; refuse what is of no kind asked for."""
    if isinstance(value, _Array) and value.array is not None:
        return value.array
    if isinstance(value, list | tuple):
        return type(value)(_finished(item, kinds) for item in value)
    if isinstance(value, dict):
        return {key: _finished(item, kinds) for key, item in value.items()}
    if isinstance(value, kinds):
        return value
    raise pickle.UnpicklingError(f"it holds a {type(value).__name__}")
