"""Minimum and maximum of gaze and head pose, by which FLAME's nets normalise both.

One scalar minimum and maximum for all components of a quantity, as in FLAME. They are taken over
the train part only, and travel with the weights: test data are normalised by them too.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from common.arrays import Float
from common.config.checks import UNSTATED_CONVENTION, frame_of
from common.files.sealed import read_json, write_json
from common.geometry import ArrayT
from flame.readers import metadata


@dataclass(frozen=True)
class Statistics:
    """Ranges in radians.

    Attributes:
        gaze_min: least of yaw and pitch.
        gaze_max: greatest of yaw and pitch.
        head_pose_min: least of pitch, yaw and roll.
        head_pose_max: greatest of pitch, yaw and roll.
    """

    gaze_min: float
    gaze_max: float
    head_pose_min: float
    head_pose_max: float

    def __post_init__(self) -> None:
        _check_range("gaze", self.gaze_min, self.gaze_max)
        _check_range("head_pose", self.head_pose_min, self.head_pose_max)

    def normalise_gaze(self, gaze: ArrayT) -> ArrayT:
        """Return gaze angles (..., 2) in radians as 0..1 over the train part, in their dtype."""
        return (gaze - self.gaze_min) / (self.gaze_max - self.gaze_min)

    def denormalise_gaze(self, normalised: ArrayT) -> ArrayT:
        """Return normalised gaze (..., 2) in radians; the inverse of `normalise_gaze`."""
        return normalised * (self.gaze_max - self.gaze_min) + self.gaze_min

    def normalise_head_pose(self, head_pose: ArrayT) -> ArrayT:
        """Return head poses (..., 3) in radians as 0..1 over the train part, in their dtype."""
        return (head_pose - self.head_pose_min) / (self.head_pose_max - self.head_pose_min)

    def to_dict(self) -> dict[str, float]:
        """Return the four numbers by name, for checkpoints and json."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Statistics":
        """Return the statistics in a mapping; other keys are ignored.

        Raises:
            ValueError: If one of the four numbers is missing or no range.
        """
        names = cls.__dataclass_fields__
        missing = [name for name in names if name not in values]
        if missing:
            raise ValueError(f"statistics lack {', '.join(missing)}; got {', '.join(values)}")
        return cls(**{name: float(values[name]) for name in names})


def train_statistics(gaze: Float, head_pose: Float) -> Statistics:
    """Return the ranges of gaze (N, 2) and head poses (N, 3) of the train part, in radians.

    Raises:
        ValueError: If an array is empty, holds a value that is not finite, or does not vary.
    """
    for name, values in (("gaze", gaze), ("head_pose", head_pose)):
        if values.size == 0 or not np.isfinite(values).all():
            raise ValueError(f"{name} of the train part is empty or not finite: no range to take")
    return Statistics(
        float(gaze.min()), float(gaze.max()), float(head_pose.min()), float(head_pose.max())
    )


def load_statistics(name_or_path: str | Path) -> Statistics:
    """Return the ranges published with FLAME, for the original checkpoints, or those of a file.

    Args:
        name_or_path: ``columbiagaze``, ``eyediap`` or ``mpiigaze``, a json file as
            `write_statistics` writes it, or a pickle of FLAME's (``.pkl``). EYEDIAP's published
            ranges belong to the convention ``eyediap_published``; MPIIGaze's gaze was wrapped at
            pi, so its range says nothing.

    Raises:
        ValueError: If nothing was published for the data set, or the file holds no ranges.
    """
    entry = _entry(name_or_path)
    try:
        return Statistics.from_dict(entry)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"{name_or_path} holds no ranges: {error}") from error


def gaze_convention_of(name_or_path: str | Path) -> str:
    """Return how the gaze angles of ranges are defined; arguments as `load_statistics`."""
    return str(_entry(name_or_path).get("gaze_convention", UNSTATED_CONVENTION))


def gaze_frame_of(name_or_path: str | Path) -> str:
    """Return in which frame the angles of ranges are; arguments as `load_statistics`."""
    return frame_of(_entry(name_or_path))


def write_statistics(
    path: Path,
    statistics: Statistics,
    landmarks: Float,
    conventions: Mapping[str, str],
) -> None:
    """Write ranges as json, or in FLAME's form.

    FLAME's has the range of the landmarks (N, 112) in pixels, too; json has the conventions, how
    the gaze angles are defined and in which frame.

    Raises:
        ValueError: If the file is neither ``.json`` nor ``.pkl``.
    """
    ranges = statistics.to_dict()
    if metadata.is_pickle(path):
        metadata.write_ranges(path, ranges, landmarks)
        return
    write_json(path, {**ranges, **conventions})


def published_ranges() -> list[Statistics]:
    """Return the ranges of all data sets that were published."""
    return [Statistics.from_dict(entry) for entry in _published_table().values()]


def _entry(name_or_path: str | Path) -> Mapping[str, Any]:
    if metadata.is_file_name(name_or_path):
        return _file_entry(Path(name_or_path))
    table = _published_table()
    if name_or_path not in table:
        raise ValueError(
            f"no published statistics for {str(name_or_path)!r}; there are: {', '.join(table)}. "
            "Name the data set the weights were trained on, e.g. statistics=eyediap, or the .json "
            "or .pkl file of its ranges (preprocess.py mode=statistics writes one)"
        )
    return table[str(name_or_path)]


def _file_entry(path: Path) -> Mapping[str, Any]:
    if not path.is_file():
        raise ValueError(f"no file of ranges {path}: preprocess.py ... mode=statistics writes one")
    if metadata.is_pickle(path):
        return metadata.read_ranges(path)
    content = read_json(path, "expected a json file of ranges (mode=statistics writes one)")
    if not isinstance(content, dict):
        raise ValueError(f"{path} holds no ranges: it is a {type(content).__name__}")
    return content


def _published_table() -> dict[str, dict[str, Any]]:
    text = (files("flame.data") / "splits" / "published_statistics.json").read_text(
        encoding="utf-8"
    )
    table: dict[str, dict[str, Any]] = json.loads(text)["statistics"]
    return table


def _check_range(name: str, low: float, high: float) -> None:
    if not (np.isfinite(low) and np.isfinite(high) and low < high):
        raise ValueError(
            f"{name} ranges from {low} to {high}: cannot normalise by it; "
            "the train part needs at least two different finite values"
        )
