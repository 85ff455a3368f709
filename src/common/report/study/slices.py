"""A study's measure by slice of the samples, e.g. by sharpness: mean over seeds."""

from collections.abc import Sequence

import numpy as np

from common.report.kinds.measure import Measure
from common.report.study.comparison import Comparison
from common.report.tables.formats import Table
from common.report.tables.slices import SlicedMeasure, sliced_measures


def study_slice_tables(comparison: Comparison) -> list[Table]:
    """Return a table a slicing, with a column a slice and a row a study row."""
    tests = [test for result in comparison.results for test in result.tests]
    return [_table(comparison, sliced) for sliced in sliced_measures(tests)]


def _table(comparison: Comparison, sliced: SlicedMeasure) -> Table:
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
    caption = f"{measure.label} by {sliced.title} (number of samples), mean over seeds"
    return Table(caption, ["row", *names], rows, frozenset(names))


def _means(
    values: Sequence[Sequence[float | None]], measure: Measure, num_slices: int
) -> list[str]:
    """Return the mean of each slice, a dash where a seed has no value."""
    if not values:
        return ["-"] * num_slices
    return [measure.text(float(mean)) for mean in np.mean(np.array(values, float), axis=0)]
