"""A study's tables: rows on one test, all tests side by side, seeds, published numbers."""

from collections.abc import Sequence

from common.report.kinds.measure import Quantity
from common.report.kinds.model_test import ModelTest
from common.report.published import PublishedRow, PublishedTable
from common.report.study.beside import (
    differing_conditions,
    published_beside,
    value_of,
    value_text,
)
from common.report.study.comparison import Comparison, Refusal, RowResult
from common.report.study.mixture import short
from common.report.study.study import Job, Study, StudyRow
from common.report.tables.formats import Table

_LONG = 26  # characters of a row's title in a heading
LARGER = " *"


def comparison_table(comparison: Comparison) -> Table:
    """Return a row a study row: seeds, mean, interval, difference, what was published."""
    measure, beside = comparison.kind.measure, comparison.kind.beside
    columns = {
        "row": [result.row.title for result in comparison.results],
        "seeds": [seeds_text(result) for result in comparison.results],
        measure.label: [mean_text(result, measure) for result in comparison.results],
        "95 % interval": [_interval_text(result, comparison) for result in comparison.results],
        _difference_heading(comparison): [
            difference_text(result, comparison.kind) for result in comparison.results
        ],
        beside.label: [mean_text(result, beside) for result in comparison.results],
        **_published_columns(comparison),
    }
    kept = {
        name: cells for name, cells in columns.items() if name == "row" or set(cells) - {"-", ""}
    }
    caption = f"{comparison.study.title}: {comparison.protocol.caption}"
    numeric = frozenset(kept) - {"row", "seeds"}
    return Table(caption, list(kept), [list(row) for row in zip(*kept.values())], numeric)  # noqa: B905


def overview_table(comparisons: Sequence[Comparison]) -> Table:
    """Return the study's rows with a column a test, for studies with several."""
    study, measure = comparisons[0].study, comparisons[0].kind.measure
    names = [f"tested on {c.protocol.tested_on}, {c.protocol.part}" for c in comparisons]
    rows = [
        [row.title, *(mean_text(comparison.results[place], measure) for comparison in comparisons)]
        for place, row in enumerate(study.rows)
    ]
    return Table(f"{study.title}: {measure.label}", ["row", *names], rows, frozenset(names))


def seed_table(study: Study, kind: type[ModelTest]) -> Table:
    """Return a row a training, with what came out on each test."""
    measure = kind.measure
    rows = [
        [
            *(row.title, str(job.seed), job.status, _epochs_text(job)),
            *(", ".join(_values_of(job, kind)) or "-", job.run.name if job.run else "-"),
        ]
        for row in study.rows
        for job in row.jobs
    ]
    columns = ["row", "seed", "status", "epochs", measure.label, "run"]
    return Table(f"{study.title}: every training", columns, rows)


def status_table(study: Study) -> Table:
    """Return how far each row is, for a study without numbers to show."""
    rows = [
        [row.title, job_count_text(row, [run.number for run in row.runs])] for row in study.rows
    ]
    return Table(f"{study.title}: finished runs", ["row", "seeds"], rows, frozenset())


def published_listing(table: PublishedTable, kind: type[ModelTest]) -> Table:
    """Return all of a published table, with protocol and source of every row."""
    quantities = (kind.measure, kind.beside)
    rows = [
        [
            row.method,
            *(value_text(value_of(row, quantity)) for quantity in quantities),
            "-" if row.trainings is None else str(row.trainings),
            row.protocol.words,
            row.source + (" (seen in part)" if row.evidence == "excerpt" else ""),
        ]
        for row in table.rows
    ]
    labels = [quantity.label for quantity in quantities]
    columns = ["method", *labels, "trainings", "protocol", "source"]
    return Table(f"Published: {table.title}", columns, rows, frozenset({*labels, "trainings"}))


def refusal_table(refusal: Refusal) -> Table:
    """Return what differs, by value, and in which runs."""
    rows = [
        [difference.what, short(value), ", ".join(runs)]
        for difference in refusal.differences
        for value, runs in difference.values.items()
    ]
    return Table(refusal.text, ["differs", "value", "runs"], rows)


def mean_text(result: RowResult, quantity: Quantity) -> str:
    """Return mean +- sample standard deviation over seeds; the mean alone of one seed."""
    mean, std = result.mean(quantity), result.std(quantity)
    return quantity.text(mean) + ("" if std is None else f" +- {quantity.text(std)}")


def difference_text(result: RowResult, kind: type[ModelTest]) -> str:
    """Return the difference to the reference and its interval; `LARGER` if that leaves out zero."""
    contrast = result.contrast
    if contrast is None:
        return "-"
    text = _signed(contrast.value, kind.measure)
    if contrast.interval is None:
        return text
    ends = (contrast.interval.low, contrast.interval.high)
    reach = f" [{', '.join(_signed(end, kind.measure) for end in ends)}]"
    return text + reach + (LARGER if contrast.is_larger_than_interval else "")


def seeds_text(result: RowResult) -> str:
    """Return how many trainings count, and what became of the others."""
    counted = [part.run.number for test in result.tests for part in test.parts]
    return job_count_text(result.row, counted)


def job_count_text(row: StudyRow, counted: Sequence[int]) -> str:
    """Return e.g. ``3 of 5 (seed 3 failed, seed 4 missing)``, or ``5`` if all are there.

    Args:
        row: of a study.
        counted: numbers of its runs that have the test.
    """
    others = [job for job in row.jobs if job.run is None or job.run.number not in counted]
    if not others:
        return str(len(row.jobs))
    words = [_lack(job) for job in others]
    if len(others) == len(row.jobs) and len(set(words)) == 1:
        return f"0 of {len(row.jobs)} ({words[0]})"
    lacking = (f"seed {job.seed} {word}" for job, word in zip(others, words, strict=True))
    return f"{len(row.jobs) - len(others)} of {len(row.jobs)} ({', '.join(lacking)})"


def comparable_text(comparison: Comparison, row: PublishedRow) -> str:
    """Return ``comparable``, or ``not comparable`` and why."""
    differing = differing_conditions(comparison, row)
    return f"not comparable ({'; '.join(differing)})" if differing else "comparable"


def _lack(job: Job) -> str:
    return "not tested" if job.is_finished else job.status


def _epochs_text(job: Job) -> str:
    return job.run.epochs_text if job.run else "-"


def _values_of(job: Job, kind: type[ModelTest]) -> list[str]:
    tests = [test for test in job.tests if isinstance(test, kind)]
    several = len({test.summary["tested_on"] for test in tests}) > 1
    return [
        kind.measure.text(test.value) + (f" ({test.summary['tested_on']})" if several else "")
        for test in tests
    ]


def _interval_text(result: RowResult, comparison: Comparison) -> str:
    if result.interval is None:
        return "-"
    measure = comparison.kind.measure
    return f"[{measure.text(result.interval.low)}, {measure.text(result.interval.high)}]"


def _difference_heading(comparison: Comparison) -> str:
    titles = [row.title for row in comparison.references]
    if len(titles) == 1 and len(titles[0]) <= _LONG:
        return f"difference to {titles[0]}"
    return "difference to the reference"


def _published_columns(comparison: Comparison) -> dict[str, list[str]]:
    rows = [published_beside(comparison, result) for result in comparison.results]
    found = [row for row in rows if row is not None]
    are_comparable = [not differing_conditions(comparison, row) for row in found]
    note = "" if all(are_comparable) else " (not comparable)" if not any(are_comparable) else None
    return {
        f"published {quantity.label}{note or ''}": [
            value_text(value_of(row, quantity)) + _mark(comparison, row, note) for row in rows
        ]
        for quantity in (comparison.kind.measure, comparison.kind.beside)
    }


def _mark(comparison: Comparison, row: PublishedRow | None, note: str | None) -> str:
    """Return a cell's own mark where some rows are comparable and others are not."""
    if row is None or note is not None or not differing_conditions(comparison, row):
        return ""
    return " (not comparable)"


def _signed(value: float, quantity: Quantity) -> str:
    return f"{quantity.shown(value):+.2f}"
