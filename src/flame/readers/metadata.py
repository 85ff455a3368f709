"""FLAME's metadata files: the names of a split and the ranges of a data set, as pickles.

``data_split_<data>_<nature>.pkl`` is ``{'train': names, 'test': names, 'cv': names}``, the names
being folders of ``images/``. ``data_vals_max_min_<data>.pkl`` is ``{'gaze', 'hp', 'fl', 'fl_2d'}``
-> ``{'max', 'min'}``: gaze and head pose in radians, landmarks in pixels.
"""

import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from common.arrays import Float
from common.files.atomic import partial_path
from flame.readers.numeric_pickle import read_numeric_pickle

# FLAME's own files are of this protocol.
PICKLE_PROTOCOL = 4
# Our name of a part to FLAME's, in the order of its files.
_PARTS = {"train": "train", "test": "test", "val": "cv"}
_QUANTITIES = {"gaze": "gaze", "head_pose": "hp"}


def is_file_name(name: str | Path) -> bool:
    """Return whether a name is that of a split's or ranges' file, ours (json) or FLAME's."""
    return Path(name).suffix in (".json", ".pkl")


def is_pickle(path: Path) -> bool:
    """Return whether a file is to have FLAME's form, by its suffix.

    Raises:
        ValueError: If its suffix is neither FLAME's nor ours.
    """
    if not is_file_name(path):
        raise ValueError(f"{path}: expected a .json file, or a .pkl file of FLAME's own form")
    return path.suffix == ".pkl"


def read_split(path: Path) -> dict[str, list[str]]:
    """Return the names of the parts train, val and test.

    Raises:
        ValueError: If the file is no split of FLAME's form.
    """
    content = read_numeric_pickle(path, with_text=True)
    lists = [content.get(key) if isinstance(content, dict) else None for key in _PARTS.values()]
    if not all(isinstance(names, list | tuple) and _are_names(names) for names in lists):
        raise ValueError(f"{path} is no split of FLAME's: expected the lists train, test and cv")
    return {part: [str(name) for name in content[key]] for part, key in _PARTS.items()}


def _are_names(names: Sequence[Any]) -> bool:
    return all(isinstance(name, str | int) for name in names)


def write_split(path: Path, names: Mapping[str, Sequence[str]]) -> None:
    """Write the names of the parts train, val and test in FLAME's form."""
    _write(path, {key: list(names[part]) for part, key in _PARTS.items()})


def read_ranges(path: Path) -> dict[str, float]:
    """Return ``gaze_min``, ``gaze_max``, ``head_pose_min`` and ``head_pose_max`` in radians.

    Raises:
        ValueError: If the file does not hold the ranges of gaze and head pose.
    """
    content = read_numeric_pickle(path)
    try:
        return {
            f"{name}_{end}": float(content[key][end])
            for name, key in _QUANTITIES.items()
            for end in ("min", "max")
        }
    except (KeyError, TypeError, IndexError, ValueError, OverflowError) as error:
        raise ValueError(
            f"{path} holds no ranges of FLAME's: expected gaze and hp, each with max and min "
            "(data_vals_max_min_*.pkl)"
        ) from error


def write_ranges(path: Path, ranges: Mapping[str, float], landmarks: Float) -> None:
    """Write ranges (`read_ranges`) in FLAME's form.

    That of the train part's landmarks (N, 112) px stands for ``fl``, too, by which FLAME's code
    scales them for none of its nets.
    """
    content = {
        key: _range(ranges[f"{name}_min"], ranges[f"{name}_max"])
        for name, key in _QUANTITIES.items()
    }
    points = _range(landmarks.min(), landmarks.max())
    _write(path, content | {"fl": points, "fl_2d": dict(points)})


def _range(low: Any, high: Any) -> dict[str, np.float64]:
    return {"max": np.float64(high), "min": np.float64(low)}


def _write(path: Path, content: Any) -> None:
    with partial_path(path) as partial:
        partial.write_bytes(pickle.dumps(content, protocol=PICKLE_PROTOCOL))
