"""A test of a model: what each kind tells the report about itself; all else is the same for all.

A new kind is one file with a `ModelTest`, and its line in `common.report.kinds.registry`.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import polars as pl

from common.evaluation.resampling import Samples
from common.files.form import COUNT, NUMBER, PLAIN, Maybe
from common.report.kinds.measure import Measure, Quantity
from common.report.run import Run

Settings = Mapping[str, Any]
TEST_AGAIN = "test again to renew it"
# Forms of what several kinds have.
INTERVAL = Maybe({"low": NUMBER, "high": NUMBER})
FOLD = Maybe({"number": COUNT, "of": COUNT})


def slices_form(measure: str, *counts: str) -> list[Any]:
    """Return the form of a summary's slices."""
    return [{"slice": PLAIN, measure: Maybe(NUMBER), **dict.fromkeys(counts, COUNT)}]


def checked_predictions(table: pl.DataFrame, numbers: Sequence[str], path: Path) -> pl.DataFrame:
    """Return predictions; refuse gaps in them.

    Args:
        table: as it was read.
        numbers: its columns of numbers.
        path: of its file.

    Raises:
        ValueError: If a column holds something else, or a value is missing or not finite.
    """
    for name in table.columns:
        column = table[name]
        is_right = column.dtype.is_numeric() if name in numbers else column.dtype == pl.String
        is_whole = is_right and not column.null_count()
        if not is_whole or (name in numbers and not column.cast(pl.Float64).is_finite().all()):
            raise ValueError(f"{path}: damaged values in column {name}; {TEST_AGAIN}")
    return table


@dataclass(frozen=True)
class TestProtocol(ABC):
    """What two tests must share to stand in one table; every kind adds to it.

    Attributes:
        tested_on: name of the data.
        part: of the data.
        baseline_names: fields with the values of predictors that need no training, in the unit of
            the summaries, and what these predictors are called.
    """

    tested_on: str
    part: str
    baseline_names: ClassVar[Mapping[str, str]]

    @property
    def title(self) -> str:
        """Headline of its section."""
        return f"{self.tested_on}, {self.part} part"

    @property
    @abstractmethod
    def caption(self) -> str:
        """The protocol in words."""

    @property
    def baselines(self) -> dict[str, float]:
        """Values of the predictors that need no training, by their name."""
        found = {name: getattr(self, key) for key, name in self.baseline_names.items()}
        return {name: value for name, value in found.items() if value is not None}


@dataclass(frozen=True)
class ModelTest(ABC):
    """A test of a model: its numbers and the run it belongs to; a subclass a kind.

    Attributes:
        run: the tested run.
        path: the json; predictions and figure (.png) lie beside it.
        summary: the json's content.
        has_sound_predictions: false where they are damaged: then they are none.
        kind_name: `kind` in the summaries.
        required: entries that a summary must have.
        form: of the entries that the report reads (`common.files.form`).
        predictions_suffix: what the name of the predictions has in place of ``.json``.
        measure: the number that counts.
        beside: another that a study shows beside it.
        numeric_columns: of the result table, beside those of every table.
        main_settings: settings that are always named; the others are if they vary.
        slicings: entries of the summary's ``by`` that the report compares, with their titles.
        slice_counts: entries of a slice that count its samples, with their column names.
        figure_stem: of the names of its pictures.
        bars_caption: of the figure with a bar a test.
        details_title: over the figures that the tests brought.
        explanation: how was measured, for the reader.
    """

    run: Run
    path: Path
    summary: Mapping[str, Any]
    has_sound_predictions: bool = field(default=True, kw_only=True)

    kind_name: ClassVar[str]
    required: ClassVar[tuple[str, ...]]
    form: ClassVar[Mapping[str, Any]]
    predictions_suffix: ClassVar[str]
    measure: ClassVar[Measure]
    beside: ClassVar[Quantity]
    numeric_columns: ClassVar[frozenset[str]] = frozenset()
    main_settings: ClassVar[tuple[str, ...]]
    slicings: ClassVar[Mapping[str, str]] = {}
    slice_counts: ClassVar[Mapping[str, str]]
    figure_stem: ClassVar[str]
    bars_caption: ClassVar[str]
    details_title: ClassVar[str]
    explanation: ClassVar[str]

    @staticmethod
    @abstractmethod
    def settings_of(run: Run, summary: Mapping[str, Any]) -> Settings:
        """Return what may set two runs or tests apart, by name.

        None is not named; what a model does not have is left out.

        Args:
            run: the run.
            summary: of a test of it; empty where no test is meant.
        """

    @property
    @abstractmethod
    def cluster(self) -> str:
        """What is resampled as a whole, in words."""

    @property
    @abstractmethod
    def protocol(self) -> TestProtocol:
        """What it must share with others to stand in one table with them."""

    @abstractmethod
    def predictions(self) -> pl.DataFrame | None:
        """Return its predictions, as `samples` takes them; None if none lie beside the summary.

        Raises:
            ValueError: If they are damaged.
        """

    @abstractmethod
    def samples_of(self, predictions: pl.DataFrame) -> Samples:
        """Return predictions in a form to resample."""

    def samples(self) -> Samples | None:
        """Return its predictions, to resample; None where no sound ones lie beside the summary."""
        table = self.predictions() if self.has_sound_predictions else None
        return None if table is None else self.samples_of(table)

    @abstractmethod
    def cells(self, tests: Sequence["ModelTest"]) -> dict[str, str]:
        """Return its row of the result table, by column; `tests` are all of the table."""

    @abstractmethod
    def baseline_cells(self, name: str, value: float) -> dict[str, str]:
        """Return the row of a baseline of its protocol; columns left out are empty."""

    @property
    @abstractmethod
    def conditions(self) -> Settings:
        """What the csv says about how was tested."""

    @property
    @abstractmethod
    def numbers(self) -> Mapping[str, Any]:
        """What the csv says about what came out, unrounded."""

    @property
    def parts(self) -> tuple["ModelTest", ...]:
        """The tests that this one is made of: itself, unless folds were pooled."""
        return (self,)

    @property
    def fold(self) -> Mapping[str, int] | None:
        """``number`` and ``of`` how many, of a test that is one fold of the data; else None."""
        found: Mapping[str, int] | None = self.summary.get("fold")
        return found

    @classmethod
    def pooled(cls, folds: Sequence["ModelTest"]) -> "ModelTest":
        """Return the tests of all folds as one test of everybody.

        Raises:
            ValueError: If tests of this kind are not divided into folds.
        """
        raise ValueError(f"{cls.kind_name}: got tests of folds, which this kind does not pool")

    @property
    def model(self) -> str:
        """The model's name here, or in the original if that is all that is known."""
        return str(self.run.setting("config.model.name") or self.summary["model"])

    @property
    def folder(self) -> str:
        """Where in the run it lies: ``test`` after training, ``predict/NAME`` of predict.py."""
        return self.path.parent.relative_to(self.run.folder).as_posix()

    @property
    def value(self) -> float | None:
        """The measure, as stored."""
        found: float | None = self.summary[self.measure.key]
        return found

    @property
    def value_text(self) -> str:
        """The measure as shown, with its unit."""
        return f"{self.measure.text(self.value)} {self.measure.unit}"

    @property
    def interval(self) -> Mapping[str, float] | None:
        """``low`` and ``high`` of the measure's interval, as stored."""
        found: Mapping[str, float] | None = self.summary[self.measure.interval]
        return found

    @property
    def interval_text(self) -> str:
        """The interval as shown, or a dash."""
        if self.interval is None:
            return "-"
        low, high = (self.measure.text(self.interval[end]) for end in ("low", "high"))
        return f"[{low}, {high}]"

    @property
    def settings(self) -> Settings:
        """What sets it apart from other tests of its kind, by name."""
        return self.settings_of(self.run, self.summary)

    @property
    def test_settings(self) -> Settings:
        """How it was done, beside what its protocol and the run say."""
        return {}

    def counts_by(self, slicing: str) -> tuple[tuple[Any, ...], ...]:
        """Return names and counts of its slices: what tells one set of samples from another."""
        parts = self.summary["by"][slicing]
        return tuple((str(p["slice"]), *(p[key] for key in self.slice_counts)) for p in parts)

    @classmethod
    def setting_texts(cls, own: Settings, others: Sequence[Settings]) -> list[str]:
        """Return the main settings, e.g. ``dropout none``, then those of the others that vary.

        Args:
            own: of the run or test that is described.
            others: of what it is shown with; its own may be among them.
        """
        main = {name: own.get(name) for name in cls.main_settings}
        return [*_texts(main), *cls.other_texts(own, others)]

    @classmethod
    def other_texts(cls, own: Settings, others: Sequence[Settings]) -> list[str]:
        """Return those of the settings that vary, without the main ones."""
        everyone = [own, *others]
        names = (name for name in own if name not in cls.main_settings)
        return _texts({name: own[name] for name in names if _varies(name, everyone)})


def _texts(settings: Settings) -> list[str]:
    return [f"{name} {value}" for name, value in settings.items() if value is not None]


def _varies(name: str, settings: Sequence[Settings]) -> bool:
    # A setting that a model does not have at all is no value of its own; None is one.
    return len({str(values[name]) for values in settings if name in values}) > 1
