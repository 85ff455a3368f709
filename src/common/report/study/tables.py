"""A study's tables: rows on one test, all tests side by side, seeds, published numbers."""

from collections.abc import Sequence

import numpy as np

from common.report.kinds.measure import Quantity
from common.report.kinds.model_test import ModelTest
from common.report.published import PublishedTable, PublishedValue
from common.report.study.comparison import Comparison, Refusal, RowResult
from common.report.study.study import Job, Study, StudyRow
from common.report.tables.formats import Table
from common.report.tables.groups import SlicedMeasure, sliced_measures
from common.runs.settings import short

_LONG_TITLE = 26  # characters of a row's title in a heading


def comparison_table(comparison: Comparison) -> Table:
    """Return a row a study row: seeds, mean, interval, difference, what was published."""
    measure = comparison.kind.measure
    difference, published = _difference_heading(comparison), _published_texts(comparison)
    lines = [
        {
            **{"row": result.row.title, "seeds": seeds_text(result)},
            measure.label: mean_text(result, measure),
            "95 % interval": measure.interval_text(result.interval),
            difference: difference_text(result, comparison.kind),
            **{other.label: mean_text(result, other) for other in comparison.kind.beside},
            **texts,
        }
        for result, texts in zip(comparison.results, published, strict=True)
    ]
    caption = f"{comparison.study.title}: {comparison.protocol.caption}"
    others = frozenset(lines[0]) - {"row"}
    return Table.of(caption, lines, others - {"seeds"}, others)


def overview_table(comparisons: Sequence[Comparison]) -> Table:
    """Return the study's rows with a column a test, for studies with several."""
    study, measure = comparisons[0].study, comparisons[0].kind.measure
    names = [f"tested on {c.protocol.tested_on}, {c.protocol.part}" for c in comparisons]
    rows = [
        [row.title, *(mean_text(comparison.results[place], measure) for comparison in comparisons)]
        for place, row in enumerate(study.rows)
    ]
    return Table(f"{study.title}: {measure.label}", ["row", *names], rows, frozenset(names))


def study_slice_tables(comparison: Comparison) -> list[Table]:
    """Return a table a slicing of the samples, e.g. by sharpness: a column a slice, a row a row."""
    tests = [test for result in comparison.results for test in result.tests]
    return [_slice_table(comparison, sliced) for sliced in sliced_measures(tests)]


def seed_table(study: Study, kind: type[ModelTest]) -> Table:
    """Return a row a training, with what came out on each test."""
    lines = [
        {
            **{"row": row.title, "seed": str(job.seed), "status": job.status},
            "epochs": job.run.epochs_text if job.run else "-",
            kind.measure.label: ", ".join(_values_of(job, kind)) or "-",
            "run": job.run.name if job.run else "-",
        }
        for row in study.rows
        for job in row.jobs
    ]
    return Table.of(f"{study.title}: every training", lines)


def status_table(study: Study) -> Table:
    """Return how far each row is, for a study without numbers to show."""
    lines = [
        {"row": row.title, "seeds": job_count_text(row, [run.number for run in row.runs])}
        for row in study.rows
    ]
    return Table.of(f"{study.title}: finished runs", lines)


def published_listing(table: PublishedTable, kind: type[ModelTest]) -> Table:
    """Return all of a published table, with protocol and source of every row."""
    quantities = (kind.measure, *kind.beside)
    lines = [
        {
            "method": row.method,
            **{q.label: _value_text(row.values.get(q.key)) for q in quantities},
            "trainings": "-" if row.trainings is None else str(row.trainings),
            "protocol": row.protocol.words,
            "source": row.source + " (seen in part)" * (row.evidence == "excerpt"),
        }
        for row in table.rows
    ]
    numeric = frozenset({"trainings", *(quantity.label for quantity in quantities)})
    return Table.of(f"Published: {table.title}", lines, numeric)


def refusal_table(refusal: Refusal) -> Table:
    """Return what differs, by value, and in which runs."""
    lines = [
        {"differs": difference.what, "value": short(value), "runs": ", ".join(runs)}
        for difference in refusal.differences
        for value, runs in difference.values.items()
    ]
    return Table.of(refusal.text, lines)


def mean_text(result: RowResult, quantity: Quantity) -> str:
    """Return mean +- sample standard deviation over seeds; the mean alone of one seed."""
    mean, std = result.mean(quantity), result.std(quantity)
    return quantity.text(mean) + ("" if std is None else f" +- {quantity.text(std)}")


def difference_text(result: RowResult, kind: type[ModelTest]) -> str:
    """Return the difference to the reference and its interval; a star if that leaves out zero."""
    contrast = result.contrast
    if contrast is None:
        return "-"
    text = _signed(contrast.value, kind.measure)
    if contrast.interval is None:
        return text
    ends = (contrast.interval.low, contrast.interval.high)
    reach = f" [{', '.join(_signed(end, kind.measure) for end in ends)}]"
    return text + reach + " *" * contrast.is_larger_than_interval


def seeds_text(result: RowResult) -> str:
    """Return how many trainings count, and what became of the others."""
    counted = [part.run.number for test in result.tests for part in test.parts]
    return job_count_text(result.row, counted)


def job_count_text(row: StudyRow, counted: Sequence[int]) -> str:
    """Return e.g. ``3 of 5 (seed 3 failed, seed 4 missing)``, or ``5`` if all are there.

    Runs count by their numbers, if they have the test.
    """
    others = [job for job in row.jobs if job.run is None or job.run.number not in counted]
    if not others:
        return str(len(row.jobs))
    words = ["not tested" if job.is_finished else job.status for job in others]
    if len(others) == len(row.jobs) and len(set(words)) == 1:
        return f"0 of {len(row.jobs)} ({words[0]})"
    lacking = (f"seed {job.seed} {word}" for job, word in zip(others, words, strict=True))
    return f"{len(row.jobs) - len(others)} of {len(row.jobs)} ({', '.join(lacking)})"


def _values_of(job: Job, kind: type[ModelTest]) -> list[str]:
    tests = [test for test in job.tests if isinstance(test, kind)]
    several = len({test.summary["tested_on"] for test in tests}) > 1
    return [
        kind.measure.text(test.value) + (f" ({test.summary['tested_on']})" if several else "")
        for test in tests
    ]


def _difference_heading(comparison: Comparison) -> str:
    titles = [row.title for row in comparison.references]
    if len(titles) == 1 and len(titles[0]) <= _LONG_TITLE:
        return f"difference to {titles[0]}"
    return "difference to the reference"


def _published_texts(comparison: Comparison) -> list[dict[str, str]]:
    """Return the columns of published numbers, row by row."""
    are_comparable = {row.is_comparable for row in comparison.results if row.published}
    # A mark for all in the heading; in the cells where some are comparable and others are not.
    heading = " (not comparable)" if are_comparable == {False} else ""
    mark = " (not comparable)" if len(are_comparable) > 1 else ""
    return [
        {
            f"published {quantity.label}{heading}": _value_text(row.published_value(quantity))
            + mark * bool(row.differs_in)
            for quantity in (comparison.kind.measure, *comparison.kind.beside)
        }
        for row in comparison.results
    ]


def _value_text(value: PublishedValue | None) -> str:
    if value is None:
        return "-"
    return f"{value.mean:.2f}" + ("" if value.std is None else f" +- {value.std:.2f}")


def _signed(value: float, quantity: Quantity) -> str:
    return f"{quantity.shown(value):+.2f}"


def _slice_table(comparison: Comparison, sliced: SlicedMeasure) -> Table:
    measure = comparison.kind.measure
    names = [
        f"{name} ({next(iter(count.values()))})"
        for name, count in zip(sliced.slices, sliced.counts, strict=True)
    ]
    values = iter(sliced.values)
    rows = [
        [result.row.title, *_means([next(values) for _ in result.tests], measure, len(names))]
        for result in comparison.results
    ]
    caption = f"{measure.label} by {sliced.title} (number of samples), {comparison.averaged}"
    return Table(caption, ["row", *names], rows, frozenset(names))


def _means(
    values: Sequence[Sequence[float | None]], measure: Quantity, num_slices: int
) -> list[str]:
    """Return the mean of each slice, a dash where a seed has no value."""
    if not values:
        return ["-"] * num_slices
    return [measure.text(float(mean)) for mean in np.mean(np.array(values, float), axis=0)]
