"""A test of a model: what each kind tells the report about itself; all else is the same for all.

A new kind is one file with a `ModelTest`, and its line in `common.report.kinds.registry`.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import polars as pl

from common.evaluation.resampling import Interval, Samples
from common.files.foreign_tables import named_table_errors
from common.files.form import COUNT, NUMBER, PLAIN, TEXT, Each, Maybe
from common.report.kinds.measure import Measure, Quantity
from common.report.kinds.protocol import TestProtocol
from common.report.run import Run, lookup

Settings = Mapping[str, Any]
TEST_AGAIN = "test again to renew it"
# Forms of what all kinds, or several, have.
TEST_FORM = {
    **dict.fromkeys(("model", "trained_on", "tested_on", "part"), TEXT),
    **{"num_samples": COUNT, "baselines": Each(Maybe(NUMBER))},
}
INTERVAL = Maybe({"low": NUMBER, "high": NUMBER})
FOLD_FORM = {"fold": Maybe({"number": COUNT, "of": COUNT})}


def slices_form(measure: str, *counts: str) -> list[Any]:
    """Return the form of a summary's slices."""
    return [{"slice": PLAIN, measure: Maybe(NUMBER), **dict.fromkeys(counts, COUNT)}]


@dataclass(frozen=True)
class ModelTest(ABC):
    """A test of a model: its numbers and the run it belongs to; a subclass a kind.

    Attributes:
        run: the tested run.
        path: the json; predictions and figure (.png) lie beside it.
        summary: the json's content.
        has_sound_predictions: false where they are damaged: then they are none.
        folds: the tests that were pooled to this one; run and path are those of the first.
    """

    run: Run
    path: Path
    summary: Mapping[str, Any]
    has_sound_predictions: bool = field(default=True, kw_only=True)
    folds: tuple["ModelTest", ...] = field(default=(), kw_only=True)

    kind_name: ClassVar[str]  # `kind` in the summaries
    # Of the entries that a summary must have, and of further ones that the report reads.
    form: ClassVar[Mapping[str, Any]]
    optional_form: ClassVar[Mapping[str, Any]]
    # Ends of names in place of ``.json``: of the file whose checksum the summary records, and of
    # that which `samples` are read from, whose columns are texts but for the numbers named.
    predictions_suffix: ClassVar[str]
    samples_suffix: ClassVar[str]
    sample_numbers: ClassVar[Sequence[str]]
    measure: ClassVar[Measure]
    beside: ClassVar[tuple[Quantity, ...]]  # further numbers that a study shows beside the measure
    columns: ClassVar[Sequence[str]]  # of the result table
    optional_columns: ClassVar[frozenset[str]] = frozenset()  # there if a test has a value
    numeric_columns: ClassVar[frozenset[str]] = frozenset()  # beside those of every table
    main_settings: ClassVar[tuple[str, ...]]  # always named; the others are if they vary
    # Settings that no ablation changes, where a run does not record what its own does.
    fixed_settings: ClassVar[tuple[str, ...]]
    slicings: ClassVar[Mapping[str, str]] = {}  # entries of ``by`` to compare, with their titles
    slice_counts: ClassVar[Mapping[str, str]]  # numbers of samples in a slice, with their columns
    number_places: ClassVar[Mapping[str, str]]  # columns of the csv, and where in the summary
    figure_stem: ClassVar[str]  # of the names of its pictures
    bars_caption: ClassVar[str]  # of the figure with a bar a test
    details_title: ClassVar[str]  # over the figures that the tests brought
    explanation: ClassVar[str]  # how was measured, for the reader

    @staticmethod
    @abstractmethod
    def settings_of(run: Run, summary: Mapping[str, Any]) -> Settings:
        """Return what may set two runs or tests apart, by name; no summary where no test is meant.

        None is not named; what a model does not have is left out.
        """

    @property
    @abstractmethod
    def cluster(self) -> str:
        """What is resampled as a whole, in words."""

    @property
    @abstractmethod
    def protocol(self) -> TestProtocol:
        """What it must share with others to stand in one table with them."""

    @staticmethod
    @abstractmethod
    def read_samples(path: Path) -> pl.DataFrame:
        """Return the columns of a file of predictions that `samples_of` takes."""

    @staticmethod
    @abstractmethod
    def samples_of(predictions: pl.DataFrame) -> Samples:
        """Return predictions in a form to resample."""

    @abstractmethod
    def own_cells(self, others: Sequence[Settings]) -> dict[str, str]:
        """Return those of its `cells` that not every kind has."""

    @abstractmethod
    def baseline_cells(self, name: str, value: float) -> dict[str, str]:
        """Return the row of a baseline of its protocol; columns left out are empty."""

    @property
    @abstractmethod
    def conditions(self) -> Settings:
        """What the csv says about how was tested."""

    @staticmethod
    @abstractmethod
    def pooled_summary(folds: Sequence["ModelTest"]) -> Mapping[str, Any] | None:
        """Return the summary of all samples of all folds; None if they do not say enough for it.

        The interval may be left to the study.
        """

    @property
    def samples_path(self) -> Path:
        """Where `samples` are read from, if it is there."""
        return self.path.with_name(self.path.stem + self.samples_suffix)

    def predictions(self) -> pl.DataFrame | None:
        """Return what it predicted; None if no file of it lies beside the summary.

        Raises:
            ValueError: If a column holds something else, or a value is missing or not finite.
        """
        path = self.samples_path
        if not path.is_file():
            return None
        with named_table_errors(path, TEST_AGAIN):
            table = self.read_samples(path)
        for column in table:
            is_number = column.name in self.sample_numbers
            is_right = column.dtype.is_numeric() if is_number else column.dtype == pl.String
            is_whole = is_right and not column.null_count()
            if not is_whole or (is_number and not column.cast(pl.Float64).is_finite().all()):
                raise ValueError(f"{path}: damaged values in column {column.name}; {TEST_AGAIN}")
        return table

    def samples(self) -> Samples | None:
        """Return its predictions, to resample; None where no sound ones lie beside the summary."""
        tables = [t.predictions() if t.has_sound_predictions else None for t in self.parts]
        found = [table for table in tables if table is not None]
        return self.samples_of(pl.concat(found)) if len(found) == len(tables) else None

    def cells(self, others: Sequence[Settings]) -> dict[str, str]:
        """Return its row of the result table, by column.

        Args:
            others: the settings of all tests in the table.
        """
        return {
            "#": str(self.run.number),
            "model": self.model,
            "seed": self.run.setting_text("config.seed"),
            "epochs": self.run.epochs_text,
            "95 % interval": self.measure.interval_text(self.interval),
            "trained on": str(self.summary["trained_on"]),
            "status": self.run.status,
            "files": self.folder,
            **self.own_cells(others),
        }

    @property
    def parts(self) -> tuple["ModelTest", ...]:
        """The tests that this one is made of: itself, unless folds were pooled."""
        return self.folds or (self,)

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
    def interval(self) -> Interval | None:
        """The measure's interval, as stored."""
        found = self.summary[self.measure.interval]
        return None if found is None else Interval(found["low"], found["high"])

    @property
    def settings(self) -> Settings:
        """What sets it apart from other tests of its kind, by name."""
        return self.settings_of(self.run, self.summary)

    @property
    def test_settings(self) -> Settings:
        """How it was done, beside what its protocol and the run say."""
        return {}

    @property
    def numbers(self) -> dict[str, Any]:
        """What the csv says about what came out, unrounded."""
        return {name: lookup(self.summary, place) for name, place in self.number_places.items()}

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
