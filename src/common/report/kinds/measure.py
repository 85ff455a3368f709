"""The numbers that a test is judged by: their names, units and texts."""

import math
from dataclasses import dataclass

from common.evaluation.resampling import Interval


@dataclass(frozen=True)
class Validation:
    """How the metric that a training optimises is shown.

    Attributes:
        metric: its name in the log and in run.json.
        axis: label of the learning curves.
        column: heading of its last value in the table of unfinished runs.
        factor: from what is logged to what is shown.
        is_from_zero: whether the axis starts at zero.
    """

    metric: str
    axis: str
    column: str
    factor: float = 1.0
    is_from_zero: bool = True


@dataclass(frozen=True)
class Quantity:
    """A number in the summary of a test.

    Attributes:
        key: its entry.
        name: in words.
        unit: in which it is shown.
        factor: from what is stored to what is shown.
    """

    key: str
    name: str
    unit: str
    factor: float

    @property
    def label(self) -> str:
        """Name and unit, e.g. for an axis."""
        return f"{self.name} [{self.unit}]"

    def shown(self, value: float | None) -> float:
        """Return a stored value in the unit shown; nan if there is none."""
        return math.nan if value is None else value * self.factor

    def text(self, value: float | None) -> str:
        """Return a stored value as shown, without its unit; a dash if there is none."""
        return "-" if math.isnan(self.shown(value)) else f"{self.shown(value):.2f}"

    def interval_text(self, interval: Interval | None) -> str:
        """Return an interval of stored values as shown; a dash if there is none."""
        return f"[{self.text(interval.low)}, {self.text(interval.high)}]" if interval else "-"


@dataclass(frozen=True)
class Measure(Quantity):
    """The number that a test is judged by; slices of a test have it too.

    Attributes:
        best: what the best of several tests is called.
        higher_is_better: whether the best has the highest value.
        interval: entry of its interval, {"low", "high"}, stored in the same unit.
        validation: the same measure during the training.
    """

    best: str
    higher_is_better: bool
    interval: str
    validation: Validation

    def badness(self, value: float | None) -> float:
        """Return what is lowest for the best of several stored values; none at all is the worst."""
        shown = self.shown(value)
        return math.inf if math.isnan(shown) else -shown if self.higher_is_better else shown


def rounded(value: float | None, digits: int) -> float | None:
    """Return a value that compares equal to itself read again; None for nan and None."""
    return None if value is None or math.isnan(value) else round(value, digits)
