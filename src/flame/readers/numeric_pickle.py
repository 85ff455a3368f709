"""Pickles of numbers, read without running anything they name.

A pickle is a program: the ordinary unpickler imports and calls what the file says. FLAME's layout
stores its labels as pickles, and people pass them on. Here the few names that NumPy arrays need
stand for small classes of this module, which build the array themselves; any other name is
refused, and so is every value that is no number. Ten bytes can ask for gigabytes, so the program
is read through before it runs.
"""

import io
import pickle
import pickletools
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

_DTYPE = re.compile(r"[biuf]\d{1,2}")
_NUMBERS = (bool, int, float, np.number, np.bool_, np.ndarray)
_LARGEST_INTEGER = 1 << 64
# What is used often is written once: lists of lists of it have no end.
_MOST_BYTES_PER_BYTE = 100


class _Budget:
    """What reading a file may take, values and bytes of arrays together."""

    def __init__(self, num_left: int) -> None:
        self._num_left = num_left

    def spend(self, number: int) -> None:
        self._num_left -= number
        if self._num_left < 0:
            raise pickle.UnpicklingError("it uses the same values too many times")


class _Dtype:
    """Stands for numpy.dtype: a kind and size such as ``f8``, and a byte order."""

    def __init__(self, _: _Budget, name: str, *__: Any) -> None:
        if not isinstance(name, str) or not _DTYPE.fullmatch(name):
            raise pickle.UnpicklingError(f"it holds values of NumPy type {name!r}, not numbers")
        self.dtype = np.dtype(name)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.dtype = self.dtype.newbyteorder(state[1])


class _Array:
    """Stands for an array under construction; its state holds shape, type, order and bytes."""

    def __init__(self, budget: _Budget, *_: Any) -> None:
        self._budget = budget
        self.array: np.ndarray[Any, Any] | None = None

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, shape, dtype, is_fortran, data = state
        self.array = _array(self._budget, data, dtype, shape, "F" if is_fortran else "C")


def _array(
    budget: _Budget, data: Any, dtype: _Dtype, shape: tuple[int, ...], order: str
) -> np.ndarray[Any, Any]:
    if not isinstance(data, str | bytes | bytearray):
        raise pickle.UnpicklingError(f"it makes an array of a {type(data).__name__}")
    budget.spend(len(data))
    # Pickles of Python 2 hold the bytes as text.
    raw = data.encode("latin1") if isinstance(data, str) else data
    values = np.frombuffer(raw, dtype.dtype)
    return values.reshape(shape, order="F" if order == "F" else "C").copy()


def _scalar(budget: _Budget, dtype: _Dtype, data: Any) -> Any:
    return _array(budget, data, dtype, (1,), "C")[0]


def _latin1(budget: _Budget, text: str, encoding: str) -> bytes:
    if encoding.replace("-", "").lower() != "latin1":
        raise pickle.UnpicklingError(f"it encodes text as {encoding!r}")
    budget.spend(len(text))
    return text.encode("latin1")


def _no_bytes(_: _Budget) -> bytes:
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
    def __init__(self, data: bytes, budget: _Budget) -> None:
        # Read from memory, no instruction gets more bytes than there are.
        super().__init__(io.BytesIO(data), encoding="latin1")
        self._budget = budget

    def find_class(self, module_name: str, global_name: str) -> Any:
        if (module_name, global_name) not in _STAND_INS:
            raise pickle.UnpicklingError(f"it asks for {module_name}.{global_name}")
        return partial(_STAND_INS[module_name, global_name], self._budget)


def read_numeric_pickle(path: Path, *, with_text: bool = False) -> Any:
    """Read a pickle of numbers, NumPy arrays, and lists, tuples and dictionaries of them.

    Text is refused, too, but for keys, unless `with_text` allows it.

    Raises:
        ValueError: If the file is damaged, or asks for anything else; it says for what. Nothing
            that the file names has been imported or called.
    """
    try:
        data = path.read_bytes()
        _check_memory(data)
        budget = _Budget(_MOST_BYTES_PER_BYTE * len(data))
        content = _NumericUnpickler(data, budget).load()
        return _finished(content, _NUMBERS + (str,) * with_text, budget)
    # A damaged pickle fails in whatever instruction the damage hits.
    except Exception as error:
        raise ValueError(
            f"{path} is not a pickle of numbers and NumPy arrays: "
            f"{str(error) or type(error).__name__}"
        ) from error


def _check_memory(data: bytes) -> None:
    """Refuse a place in the memo beyond the file's end: all places before it would be made."""
    # Damaged instructions raise here, too: in the lengths that they claim, among others.
    for instruction, argument, _ in pickletools.genops(data):
        number = argument if "PUT" in instruction.name else None
        if isinstance(number, int) and number > len(data):
            raise pickle.UnpicklingError(f"it keeps a value as number {argument}")


def _finished(value: Any, kinds: tuple[type, ...], budget: _Budget) -> Any:
    """Replace the stand-ins by their arrays; refuse what is of no kind asked for."""
    budget.spend(1)
    if isinstance(value, _Array) and value.array is not None:
        return value.array
    if isinstance(value, list | tuple):
        return type(value)(_finished(item, kinds, budget) for item in value)
    if isinstance(value, dict):
        return {
            _finished(key, (*kinds, str), budget): _finished(item, kinds, budget)
            for key, item in value.items()
        }
    if isinstance(value, int) and abs(value) > _LARGEST_INTEGER:
        raise pickle.UnpicklingError(f"it holds a whole number of {value.bit_length()} bits")
    if isinstance(value, kinds):
        return value
    raise pickle.UnpicklingError(f"it holds a {type(value).__name__}")
