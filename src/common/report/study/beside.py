"""Published numbers beside a study's rows, and whether they may be compared with ours."""

from common.report.kinds.measure import Quantity
from common.report.published import (
    PublishedRow,
    PublishedTable,
    PublishedValue,
    published_tables,
)
from common.report.study.comparison import Comparison, RowResult
from common.report.study.study import Study


def table_beside(study: Study) -> PublishedTable | None:
    """Return the published table that a study names; None if it names none that is there."""
    return published_tables().get(study.published or "")


def published_beside(comparison: Comparison, result: RowResult) -> PublishedRow | None:
    """Return what was published of a row's setting, tested on its own kind of data.

    All that is cited was tested on the data set of the training, so a test across data sets has
    nothing beside it.
    """
    table = table_beside(comparison.study)
    for row in table.rows if table else ():
        if result.row.name in row.ablations and _is_of(comparison, result, row):
            return row
    return None


def differing_conditions(comparison: Comparison, row: PublishedRow) -> list[str]:
    """Return what keeps published numbers from being compared with ours, e.g. ``part test/val``."""
    test = next(test for result in comparison.results for test in result.tests)
    protocol, conditions = row.protocol, test.conditions
    ours = {"data": comparison.protocol.tested_on, "part": comparison.protocol.part, **conditions}
    theirs = {"data": protocol.data, "part": protocol.part, **protocol.conditions}
    return [
        f"{name} {value} there, {ours.get(name)} here"
        for name, value in theirs.items()
        if ours.get(name) != value
    ]


def value_of(row: PublishedRow | None, quantity: Quantity) -> PublishedValue | None:
    """Return a published number, in the unit shown; None if there is none."""
    return None if row is None else row.values.get(quantity.key)


def value_text(value: PublishedValue | None) -> str:
    """Return a published number as text, or a dash."""
    if value is None:
        return "-"
    return f"{value.mean:.2f}" + ("" if value.std is None else f" +- {value.std:.2f}")


def _is_of(comparison: Comparison, result: RowResult, row: PublishedRow) -> bool:
    if row.protocol.kind != comparison.kind.kind_name:
        return False
    tested_on = comparison.protocol.tested_on
    if result.row.trained_on is None:
        # Nothing says what a row without a run trains on, unless all rows train on the same.
        others = {other.row.trained_on for other in comparison.results} - {None}
        return others == {tested_on} or row.protocol.data == tested_on
    return result.row.trained_on == tested_on
