"""Tests of one protocol side by side: all in all, and by slice, e.g. by face size."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass
from functools import cached_property
from typing import Any

from common.listing import slice_name
from common.report.kinds.model_test import ModelTest
from common.report.kinds.protocol import TestProtocol
from common.report.kinds.registry import KINDS
from common.report.tables.formats import NUMERIC, Table
from common.report.tables.runs import short_name


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


@dataclass(frozen=True)
class Group:
    """All tests of one protocol, and how they are shown."""

    protocol: TestProtocol
    tests: Sequence[ModelTest]

    @property
    def kind(self) -> type[ModelTest]:
        """Of its tests."""
        return type(self.tests[0])

    @property
    def best(self) -> int:
        """The place of the test with the best value."""
        badness = [self.kind.measure.badness(test.value) for test in self.tests]
        return badness.index(min(badness))

    @cached_property
    def names(self) -> list[str]:
        """Short names: the run's, with the training data if it was tested on others."""
        return [self._name(test) for test in self.tests]

    @cached_property
    def table(self) -> Table:
        """A row a test, below those of the baselines."""
        kind, settings = self.kind, [test.settings for test in self.tests]
        baselines = self.protocol.baselines.items()
        cells = [self.tests[0].baseline_cells(*item) for item in baselines]
        cells += [test.cells(settings) for test in self.tests]
        lines = [{name: line.get(name, "") for name in kind.columns} for line in cells]
        numeric = NUMERIC | kind.numeric_columns
        return Table.of(self.protocol.caption, lines, numeric, kind.optional_columns)

    @cached_property
    def slicings(self) -> list[SlicedMeasure]:
        """The slicings that its tests have, of those their kind compares."""
        return sliced_measures(self.tests)

    @property
    def slice_table(self) -> Table:
        """The measure by slice, a column a test; without rows if nothing is sliced."""
        counts, measure = list(self.kind.slice_counts.values()), self.kind.measure
        rows = [
            [
                *(sliced.title, name),
                *(str(sliced.counts[place][count]) for count in counts),
                *(measure.text(values[place]) for values in sliced.values),
            ]
            for sliced in self.slicings
            for place, name in enumerate(sliced.slices)
        ]
        names = self._numbers()
        caption = f"{measure.label} by slice: {self.protocol.caption}"
        return Table(caption, ["by", "slice", *counts, *names], rows, frozenset({*counts, *names}))

    def _name(self, test: ModelTest) -> str:
        settings = test.setting_texts(test.settings, [other.settings for other in self.tests])
        trained_on, tested_on = test.summary["trained_on"], test.summary["tested_on"]
        other_data = f"\ntrained on {trained_on}" if trained_on != tested_on else ""
        return short_name(test.run, settings) + other_data

    def _numbers(self) -> list[str]:
        """Return the runs' numbers; a run's second test is its second row in the table."""
        numbers = [test.run.number for test in self.tests]
        turns = [numbers[: place + 1].count(number) for place, number in enumerate(numbers)]
        return [
            f"#{number}" + (f" ({turn})" if turn > 1 else "")
            for number, turn in zip(numbers, turns, strict=True)
        ]


def group_by_protocol(tests: Iterable[ModelTest]) -> list[Group]:
    """Return the tests by protocol, in the order of training data, model, settings and seed."""
    groups: dict[TestProtocol, list[ModelTest]] = {}
    for test in sorted(tests, key=_order):
        groups.setdefault(test.protocol, []).append(test)
    return sorted((Group(*item) for item in groups.items()), key=_group_order)


def sliced_measures(tests: Sequence[ModelTest]) -> list[SlicedMeasure]:
    """Return the slicings that tests of one kind have, of those the kind compares."""
    found = (_sliced(tests, key, title) for key, title in tests[0].slicings.items())
    return [sliced for sliced in found if sliced.slices]


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
    return {slice_name(part["slice"]): part for part in test.summary["by"].get(key) or ()}


def _order(test: ModelTest) -> tuple[Any, ...]:
    run = test.run
    width, seed = (run.setting(f"config.{key}") for key in ("model.width", "seed"))
    settings = [str(value) for value in test.settings.values()]
    return test.summary["trained_on"], test.model, -(width or 0), settings, seed or 0, run.number


def _group_order(group: Group) -> tuple[Any, ...]:
    return KINDS.index(group.kind), [str(value) for value in astuple(group.protocol)]
