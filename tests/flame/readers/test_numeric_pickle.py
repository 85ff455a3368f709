import os
import pickle
import tracemalloc
from collections import OrderedDict

import numpy as np
import pytest

from flame.readers.numeric_pickle import read_numeric_pickle


def _write(tmp_path, value, protocol=4):
    path = tmp_path / "x.pkl"
    path.write_bytes(pickle.dumps(value, protocol=protocol))
    return path


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_what_any_protocol_wrote_comes_back(tmp_path, protocol):
    arrays = [
        np.arange(6.0).reshape(2, 3),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.arange(4, dtype=">f4"),
        np.array([[1, 255]], dtype=np.uint8),
        np.array([True, False]),
        np.zeros((0, 112)),
        np.arange(10)[::3],
    ]
    for array in arrays:
        loaded = read_numeric_pickle(_write(tmp_path, array, protocol))
        assert loaded.dtype == array.dtype
        np.testing.assert_array_equal(loaded, array)
    value = [(1, 2.5), {"a": np.float64(0.25), "b": [np.int32(3), True]}, np.ones(2)]
    loaded = read_numeric_pickle(_write(tmp_path, value, protocol))
    assert loaded[:2] == value[:2]
    np.testing.assert_array_equal(loaded[2], value[2])


def test_names_of_numpy_2_are_known(tmp_path):
    path = _write(tmp_path, np.arange(3.0), protocol=2)
    path.write_bytes(path.read_bytes().replace(b"numpy.core.", b"numpy._core."))
    np.testing.assert_array_equal(read_numeric_pickle(path), [0, 1, 2])


class _Command:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def test_a_pickle_that_runs_a_command_is_refused_and_does_not_run(tmp_path):
    path = _write(tmp_path, [np.ones(2), _Command(tmp_path / "made")])
    with pytest.raises(ValueError, match=r"x\.pkl .*posix\.mkdir"):
        read_numeric_pickle(path)
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize(
    ("value", "what"),
    [
        (np.array([None, {}], dtype=object), "NumPy type 'O8'"),
        (np.array(["a"]), "NumPy type 'U1'"),
        (np.array(["2020"], dtype="M8[Y]"), "NumPy type 'M8'"),
        (OrderedDict(a=1), r"collections\.OrderedDict"),
        (slice(1), r"builtins\.slice"),
        (bytearray(b"x"), r"builtins\.bytearray"),
        ({1, 2}, "a set"),
        ("text", "a str"),
        ([1, None], "a NoneType"),
        (np.dtype("f8"), "a _Dtype"),
    ],
)
def test_everything_else_is_refused_by_name(tmp_path, value, what):
    with pytest.raises(ValueError, match=what):
        read_numeric_pickle(_write(tmp_path, value))


def test_damaged_files_are_refused(tmp_path):
    path = _write(tmp_path, np.arange(100.0))
    data = path.read_bytes()
    rng = np.random.default_rng(0)
    for cut in (0, 1, 10, len(data) // 2, len(data) - 1):
        path.write_bytes(data[:cut])
        with pytest.raises(ValueError, match=r"x\.pkl"):
            read_numeric_pickle(path)
    for _ in range(300):
        # Whatever the damage, it ends in a ValueError or in numbers, never in a crash.
        damaged = bytearray(data)
        damaged[rng.integers(len(data) - 800)] = rng.integers(256)
        path.write_bytes(damaged)
        try:
            read_numeric_pickle(path)
        except ValueError:
            continue


def _refused(tmp_path, content):
    path = tmp_path / "x.pkl"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"x\.pkl") as caught:
        read_numeric_pickle(path)
    return str(caught.value)


def _frombuffer(data, shape):
    """Return an array's pickle of protocol 5, of other data than NumPy would write."""
    call = b"cnumpy._core.numeric\n_frombuffer\n(" + data
    return call + b"cnumpy\ndtype\n(X\x02\0\0\0u1\x89\x88tR(K\x03X\x01\0\0\0|NNNK\0K\0K\0tb" + shape


@pytest.mark.parametrize(
    "content",
    [
        b"\x80\x02K\x00r\x00\xe1\xf5\x05.",  # to keep 0 as number 100,000,000
        b"\x80\x02K\x00p4000000000\n.",
        b"\x80\x05\x96\x00\x00\x00\x00\x01\x00\x00\x00.",  # 4 GiB of bytes
        b"\x80\x05\x95\x00\x00\x00\x00\x01\x00\x00\x00.",  # a frame of as much
        _frombuffer(b"J\x00\x00\x00\x40", b"K\x01\x85X\x01\0\0\0CtR."),  # bytes(2 ** 30)
    ],
)
def test_a_few_bytes_get_no_gigabytes(tmp_path, content):
    tracemalloc.start()
    _refused(tmp_path, content)
    assert tracemalloc.get_traced_memory()[1] < 1e6
    tracemalloc.stop()


def test_only_bytes_are_written_as_text(tmp_path):
    content = pickle.dumps(np.arange(3.0), protocol=2)
    assert b"latin1" in content
    other = content.replace(b"X\x06\x00\x00\x00latin1", b"X\x05\x00\x00\x00utf-8")
    assert "'utf-8'" in _refused(tmp_path, other)


def test_lists_of_the_same_lists_are_not_walked_without_end(tmp_path):
    value = [0.0] * 10
    for _ in range(30):
        value = [value] * 10
    assert "too many times" in _refused(tmp_path, pickle.dumps(value, protocol=4))


def test_an_array_made_of_the_same_bytes_again_and_again_is_refused(tmp_path):
    once = _frombuffer(b"h\x00", b"J\xa0\x86\x01\0\x85X\x01\0\0\0CtR")
    kept = b"\x80\x02(T\xa0\x86\x01\0" + bytes(100_000) + b"q\x00"
    assert "too many times" in _refused(tmp_path, kept + 500 * once + b"l.")


@pytest.mark.parametrize("value", [10**400, [1.0, -(10**400)]])
def test_numbers_that_no_array_holds_are_refused(tmp_path, value):
    assert "1329 bits" in _refused(tmp_path, pickle.dumps(value))


def test_a_value_that_holds_itself_is_refused(tmp_path):
    value = []
    value.append(value)
    _refused(tmp_path, pickle.dumps(value))
