"""The measure of several tests by slice, e.g. by face size, side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from common.report.kinds.model_test import ModelTest, TestProtocol
from common.report.tables.formats import Table


@dataclass(frozen=True)
class SlicedMeasure:
    """One way to slice the samples of a protocol.

    Attributes:
        title: what is sliced by.
        slices: names, in the order of the tests' summaries.
        counts: a slice's numbers of samples, by their column names.
        values: a test's values by slice, as stored; None where a test has none.
    """

    title: str
    slices: list[str]
    counts: list[dict[str, int]]
    values: list[list[float | None]]


def sliced_measures(tests: Sequence[ModelTest]) -> list[SlicedMeasure]:
    """Return the slicings that the tests of a protocol have, of those their kind compares."""
    slicings = tests[0].slicings.items()
    found = (_sliced(tests, key, title) for key, title in slicings)
    return [sliced for sliced in found if sliced.slices]


def slice_table(protocol: TestProtocol, tests: Sequence[ModelTest]) -> Table:
    """Return the tests' measure by slice, a column a test; without rows if nothing is sliced."""
    kind = type(tests[0])
    names = _column_names(tests)
    counts = list(kind.slice_counts.values())
    rows = [
        [
            *(sliced.title, name),
            *(str(sliced.counts[place][count]) for count in counts),
            *(kind.measure.text(values[place]) for values in sliced.values),
        ]
        for sliced in sliced_measures(tests)
        for place, name in enumerate(sliced.slices)
    ]
    caption = f"{kind.measure.label} by slice: {protocol.caption}"
    return Table(caption, ["by", "slice", *counts, *names], rows, frozenset({*counts, *names}))


def _sliced(tests: Sequence[ModelTest], key: str, title: str) -> SlicedMeasure:
    by_name = [_by_name(test, key) for test in tests]
    # Tests of one protocol have the same slices, unless a version cut them otherwise.
    first_found = {name: part for parts in reversed(by_name) for name, part in parts.items()}
    names = list(dict.fromkeys(name for parts in by_name for name in parts))
    kind = type(tests[0])
    return SlicedMeasure(
        title=title,
        slices=names,
        counts=[
            {shown: first_found[name][stored] for stored, shown in kind.slice_counts.items()}
            for name in names
        ],
        values=[[parts.get(name, {}).get(kind.measure.key) for name in names] for parts in by_name],
    )


def _by_name(test: ModelTest, key: str) -> dict[str, Mapping[str, Any]]:
    return {_slice_name(part["slice"]): part for part in test.summary["by"].get(key) or ()}


def _slice_name(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _column_names(tests: Sequence[ModelTest]) -> list[str]:
    """Return the runs' numbers; a run's second test is its second row in the result table."""
    numbers = [test.run.number for test in tests]
    turns = [numbers[: place + 1].count(number) for place, number in enumerate(numbers)]
    return [
        f"#{number}" + (f" ({turn})" if turn > 1 else "")
        for number, turn in zip(numbers, turns, strict=True)
    ]
