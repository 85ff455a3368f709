"""The rows of a study on one test: mean and deviation over seeds, difference, published."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from common.arrays import Float
from common.evaluation.resampling import Interval, interval_of, resampled_means
from common.report.kinds.folds import pooled
from common.report.kinds.measure import Quantity
from common.report.kinds.model_test import ModelTest
from common.report.kinds.protocol import TestProtocol
from common.report.published import PublishedRow, PublishedValue, published_tables
from common.report.study.mixture import Difference, differences_of_tests, run_differences
from common.report.study.study import Job, Study, StudyRow


@dataclass(frozen=True)
class Contrast:
    """How far a row's mean is from that of its reference, as stored."""

    reference: StudyRow
    value: float
    interval: Interval | None

    @property
    def is_larger_than_interval(self) -> bool:
        """Whether the interval leaves out zero."""
        return self.interval is not None and not self.interval.low <= 0 <= self.interval.high


@dataclass(frozen=True)
class RowResult:
    """A row's tests, a seed each; values as the summaries store them.

    Attributes:
        row: of the study.
        tests: of the finished jobs, by seed.
        draws: means over seeds in resamples; None if there is nothing to draw from.
        contrast: to its reference; None for that row itself, and without values.
        published: of its setting, tested on its own kind of data.
        differs_in: what keeps it from being compared with ours, e.g. ``part test there, val here``.
    """

    row: StudyRow
    tests: tuple[ModelTest, ...]
    draws: Float | None = field(repr=False, compare=False)
    contrast: Contrast | None = None
    published: PublishedRow | None = None
    differs_in: tuple[str, ...] = ()

    @property
    def interval(self) -> Interval | None:
        """Of the mean."""
        return None if self.draws is None else interval_of(self.draws)

    @property
    def is_comparable(self) -> bool:
        """Whether what was published may be compared with ours."""
        return self.published is not None and not self.differs_in

    def published_value(self, quantity: Quantity) -> PublishedValue | None:
        """Return a published number, in the unit shown; None if there is none."""
        return self.published.values.get(quantity.key) if self.published else None

    def values(self, quantity: Quantity) -> list[float]:
        """Return a number of every test that has it."""
        found = (test.summary[quantity.key] for test in self.tests)
        return [float(value) for value in found if value is not None]

    def mean(self, quantity: Quantity) -> float | None:
        """Return the mean over seeds."""
        values = self.values(quantity)
        return float(np.mean(values)) if values else None

    def std(self, quantity: Quantity) -> float | None:
        """Return the sample standard deviation over seeds (n - 1); None for fewer than two."""
        values = self.values(quantity)
        return float(np.std(values, ddof=1)) if len(values) > 1 else None


@dataclass(frozen=True)
class Comparison:
    """A study's rows, tested on the same data under the same protocol."""

    study: Study
    kind: type[ModelTest]
    protocol: TestProtocol
    results: tuple[RowResult, ...]

    @property
    def references(self) -> list[StudyRow]:
        """The rows that others are compared with."""
        found = [result.contrast.reference for result in self.results if result.contrast]
        return list({row.name: row for row in found}.values())

    @property
    def num_folds(self) -> int:
        """Number of trainings whose tests are parts of one; 1 where each is a test of its own."""
        return max(len(test.parts) for result in self.results for test in result.tests)

    @property
    def averaged(self) -> str:
        """What a row's number is, in a caption."""
        return f"{self.num_folds} folds as one" if self.num_folds > 1 else "mean over seeds"


@dataclass(frozen=True)
class Refusal:
    """A table that was not made, because its runs differ in what they should share."""

    study: Study
    subject: str
    differences: tuple[Difference, ...]

    @property
    def text(self) -> str:
        """What was refused, and why."""
        return (
            f"No table of {self.subject}: its runs are of more than one protocol. "
            "Train or test those again that should be as the others"
        )


@dataclass(frozen=True)
class Outcome:
    """A study with its tables, one a test data set; those that may not be made are refusals."""

    study: Study
    tables: tuple[Comparison | Refusal, ...]

    @property
    def comparisons(self) -> list[Comparison]:
        """The tables that were made."""
        return [table for table in self.tables if isinstance(table, Comparison)]

    @property
    def tests(self) -> list[ModelTest]:
        """All tests that stand in a table, or are part of one that does."""
        tests = (t for table in self.comparisons for row in table.results for t in row.tests)
        return [part for test in tests for part in test.parts]


def compare(study: Study) -> Outcome:
    """Return the tables of a study; what may not be mixed is refused."""
    differences = run_differences(study)
    if differences:
        return Outcome(study, (Refusal(study, f"study {study.name}", tuple(differences)),))
    return Outcome(study, tuple(_compared(study, tests) for tests in _columns(study)))


_TestData = tuple[str, str, str]
_Column = Mapping[str, Sequence[ModelTest]]


def _columns(study: Study) -> list[_Column]:
    """Return the rows' tests by what was tested on, the tests of trainings first.

    One that only a single row has, by predict.py, is no column of the study.
    """
    columns: dict[_TestData, dict[str, list[ModelTest]]] = {}
    chosen = [(row, test) for row in study.rows for job in row.jobs for test in _chosen(job)]
    for row, test in sorted(chosen, key=lambda item: item[1].folder != "test"):
        columns.setdefault(_test_data(test), {}).setdefault(row.name, []).append(test)
    whole = [{row: pooled(tests) for row, tests in rows.items()} for rows in columns.values()]
    return [rows for rows in whole if any(rows.values()) and (len(rows) > 1 or _is_own(rows))]


def _is_own(rows: _Column) -> bool:
    return any(test.folder == "test" for tests in rows.values() for test in tests)


def _chosen(job: Job) -> Iterable[ModelTest]:
    """Return a finished job's tests, one a test data set: that of the training before others."""
    if not job.is_finished:
        return ()
    first: dict[_TestData, ModelTest] = {}
    for test in sorted(job.tests, key=lambda test: (test.folder != "test", test.folder)):
        first.setdefault(_test_data(test), test)
    return first.values()


def _test_data(test: ModelTest) -> _TestData:
    return test.kind_name, test.summary["tested_on"], test.summary["part"]


def _compared(study: Study, column: _Column) -> Comparison | Refusal:
    tests = [test for row in column.values() for test in row]
    differences = differences_of_tests(tests)
    if differences:
        _, tested_on, part = _test_data(tests[0])
        subject = f"study {study.name} on {tested_on}, {part} part"
        return Refusal(study, subject, tuple(differences))
    rows = [(row, tuple(column.get(row.name, ()))) for row in study.rows]
    results = _results(rows, tests[0].measure)
    beside = [_with_published(result, results, study, tests[0]) for result in results]
    return Comparison(study, type(tests[0]), tests[0].protocol, tuple(beside))


def _results(
    rows: Sequence[tuple[StudyRow, tuple[ModelTest, ...]]], measure: Quantity
) -> list[RowResult]:
    means = resampled_means([[test.samples() for test in tests] for _, tests in rows])
    alone = [RowResult(*row, draws) for row, draws in zip(rows, means, strict=True)]
    # Compared with the row that its ablation calls the reference, else the first with a value, of
    # the same training data.
    references: dict[str | None, RowResult] = {}
    for result in sorted(alone, key=lambda result: not result.row.is_reference):
        if result.mean(measure) is not None:
            references.setdefault(result.row.trained_on, result)
    return [
        replace(own, contrast=_contrast(own, references.get(own.row.trained_on), measure))
        for own in alone
    ]


def _contrast(own: RowResult, reference: RowResult | None, measure: Quantity) -> Contrast | None:
    value, other = own.mean(measure), reference.mean(measure) if reference else None
    if reference is None or reference is own or value is None or other is None:
        return None
    interval = None
    if own.draws is not None and reference.draws is not None:
        interval = interval_of(own.draws - reference.draws)
    return Contrast(reference.row, value - other, interval)


def _with_published(
    result: RowResult, results: Sequence[RowResult], study: Study, test: ModelTest
) -> RowResult:
    """Return a row with what was published of it.

    All that is cited was tested on the data set of the training, so a test across data sets has
    nothing beside it.
    """
    tested_on = test.summary["tested_on"]
    trained_on = {result.row.trained_on}
    if trained_on == {None}:
        # Nothing says what a row without a run trains on, unless all rows train on the same.
        trained_on = {other.row.trained_on for other in results} - {None}
    table = published_tables().get(study.published or "")
    for row in table.rows if table else ():
        is_own = trained_on == {tested_on} or (
            result.row.trained_on is None and row.protocol.data == tested_on
        )
        if is_own and result.row.name in row.ablations and row.protocol.kind == test.kind_name:
            return replace(result, published=row, differs_in=_differing(row, test))
    return result


def _differing(row: PublishedRow, test: ModelTest) -> tuple[str, ...]:
    ours = {"data": test.summary["tested_on"], "part": test.summary["part"], **test.conditions}
    theirs = {"data": row.protocol.data, "part": row.protocol.part, **row.protocol.conditions}
    return tuple(
        f"{name} {value} there, {ours.get(name)} here"
        for name, value in theirs.items()
        if ours.get(name) != value
    )
