"""What a kind of test tells the report about itself; all else is the same for every kind.

A new kind is one file with a `ResultKind`, and its line in `common.report.kinds.registry`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from common.report.kinds.columns import Column
from common.report.run import ModelTest, Run
from common.report.samples import Samples

Settings = Mapping[str, Any]
NOT_RECORDED = "not recorded"


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

    def interval_text(self, test: ModelTest) -> str:
        """Return a test's interval, or a dash."""
        interval = test.summary[self.interval]
        if interval is None:
            return "-"
        return f"[{self.text(interval['low'])}, {self.text(interval['high'])}]"

    def best_of(self, tests: Sequence[ModelTest]) -> ModelTest:
        """Return the best test; one without a value is the worst."""
        sign = -1.0 if self.higher_is_better else 1.0

        def badness(test: ModelTest) -> float:
            value = sign * self.shown(test.summary[self.key])
            return math.inf if math.isnan(value) else value

        return min(tests, key=badness)


class TestProtocol(Protocol):
    """What two tests must share to stand in one table; a frozen dataclass of each kind."""

    @property
    def tested_on(self) -> str:
        """Name of the data."""

    @property
    def part(self) -> str:
        """Part of the data."""

    @property
    def title(self) -> str:
        """Headline of its section."""

    @property
    def caption(self) -> str:
        """The protocol in words."""

    @property
    def baselines(self) -> Mapping[str, float]:
        """Values of predictors that need no training, by name, in the unit of the summaries."""


@dataclass(frozen=True)
class ResultKind:
    """A kind of test.

    Attributes:
        name: `kind` in the summaries.
        required: entries that a summary must have.
        predictions_suffix: what the name of the predictions has in place of ``.json``.
        samples: predictions beside a summary, to resample; None where there are none.
        cluster: what is resampled as a whole, in words.
        measure: the number that counts.
        beside: another that a study shows beside it.
        protocol: protocol of a test.
        columns: of the result table.
        settings: what may set two runs apart, by name, from the run and a test's summary (empty
            where no test is meant). None is not named; what a model does not have is left out.
        main_settings: settings that are always named; the others are if they vary.
        test_settings: how a test was done, beside what its protocol and the run say.
        conditions: what the csv says about how was tested.
        numbers: what the csv says about what came out, unrounded.
        slicings: entries of the summary's ``by`` that the report compares, with their titles.
        slice_counts: entries of a slice that count its samples, with their column names.
        figure_stem: of the names of its pictures.
        bars_caption: of the figure with a bar a test.
        details_title: over the figures that the tests brought.
        explanation: how was measured, for the reader.
    """

    name: str
    required: tuple[str, ...]
    predictions_suffix: str
    samples: Callable[[Path], Samples | None]
    cluster: str
    measure: Measure
    beside: Quantity
    protocol: Callable[[ModelTest], TestProtocol]
    columns: tuple[Column, ...]
    settings: Callable[[Run, Mapping[str, Any]], Settings]
    main_settings: tuple[str, ...]
    test_settings: Callable[[ModelTest], Settings]
    conditions: Callable[[ModelTest], Mapping[str, Any]]
    numbers: Callable[[ModelTest], Mapping[str, Any]]
    slicings: Mapping[str, str]
    slice_counts: Mapping[str, str]
    figure_stem: str
    bars_caption: str
    details_title: str
    explanation: str

    def main_texts(self, settings: Settings) -> list[str]:
        """Return the main settings of a run or test, e.g. ``dropout none``."""
        return _texts({name: settings.get(name) for name in self.main_settings})

    def other_texts(self, own: Settings, others: Sequence[Settings]) -> list[str]:
        """Return those of the other settings that vary.

        Args:
            own: of the run or test that is described.
            others: of what it is shown with; its own may be among them.
        """
        everyone = [own, *others]
        return _texts(
            {
                name: value
                for name, value in own.items()
                if name not in self.main_settings and _varies(name, everyone)
            }
        )


def rounded(value: float | None, digits: int) -> float | None:
    """Return a value that compares equal to itself read again; None for nan and None."""
    return None if value is None or math.isnan(value) else round(value, digits)


def slice_counts(test: ModelTest, slicing: str) -> tuple[tuple[Any, ...], ...]:
    """Return names and counts of a test's slices: what tells one set of samples from another."""
    keys = test.kind.slice_counts
    parts = test.summary["by"][slicing]
    return tuple((str(part["slice"]), *(part[key] for key in keys)) for part in parts)


def _texts(settings: Settings) -> list[str]:
    return [f"{name} {value}" for name, value in settings.items() if value is not None]


def _varies(name: str, settings: Sequence[Settings]) -> bool:
    # A setting that a model does not have at all is no value of its own; None is one.
    return len({str(values[name]) for values in settings if name in values}) > 1
