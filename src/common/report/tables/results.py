"""Tables of the report: one a test protocol, and what became of the runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple
from typing import Any

from common.report.kinds.columns import Baseline, epochs_text, value_text
from common.report.kinds.kind import TestProtocol
from common.report.kinds.registry import KINDS, validation_shown
from common.report.reading import Results
from common.report.run import NO_RUN, ModelTest, Run
from common.report.tables.formats import Table
from common.report.tables.slices import slice_table

UNFINISHED = "Runs not finished or not tested (running may also mean killed)"
Groups = Mapping[TestProtocol, Sequence[ModelTest]]


def group_by_protocol(tests: Iterable[ModelTest]) -> dict[TestProtocol, list[ModelTest]]:
    """Return the tests by protocol, in the order of training data, model, settings and seed."""
    groups: dict[TestProtocol, list[ModelTest]] = {}
    for test in sorted(tests, key=_order):
        groups.setdefault(test.kind.protocol(test), []).append(test)
    return dict(sorted(groups.items(), key=lambda item: _protocol_order(*item)))


def result_table(protocol: TestProtocol, tests: Sequence[ModelTest]) -> Table:
    """Return the table of one protocol: baselines first, then a row a test."""
    kind = tests[0].kind
    baselines = [
        Baseline(name, kind.measure.text(value), tests[0])
        for name, value in protocol.baselines.items()
    ]
    rows = [
        *([column.baseline(baseline) for column in kind.columns] for baseline in baselines),
        *([column.cell(test, tests) for column in kind.columns] for test in tests),
    ]
    names = [column.name for column in kind.columns]
    numeric = frozenset(column.name for column in kind.columns if column.is_numeric)
    return Table(protocol.caption, names, rows, numeric)


def unfinished_table(results: Results) -> Table:
    """Return the runs that did not finish, or left no test to show."""
    tested = {test.run.number for test in results.tests}
    ended = ("finished", NO_RUN)
    runs = [run for run in results.runs if run.status not in ended or run.number not in tested]
    last = list(dict.fromkeys(_last_column(run) for run in runs if run.metric is not None))
    columns = ("#", "status", "model", "data", "seed", "epochs", *last, "run")
    return Table(UNFINISHED, columns, [_unfinished_row(run, last) for run in runs])


def run_table(results: Results) -> Table:
    """Return all runs: what the numbers in the other tables stand for."""
    rows = [[str(run.number), run.status, run.name] for run in results.runs]
    return Table("Runs", ("#", "status", "run"), rows)


def unread_table(results: Results) -> Table:
    """Return the files that could not be used, with the reason."""
    rows = [
        [item.path.relative_to(results.runs_dir).as_posix(), item.reason] for item in results.unread
    ]
    return Table("Files not used", ("file", "reason"), rows)


def all_tables(results: Results) -> list[Table]:
    """Return the report's tables in their order, without the empty ones."""
    groups = group_by_protocol(results.listed_tests).items()
    lists = [unfinished_table(results), run_table(results), unread_table(results)]
    tables = [*(result_table(protocol, tests) for protocol, tests in groups), *lists]
    return [table for table in tables if table.rows]


def slice_tables(results: Results) -> list[Table]:
    """Return a table of slices for every protocol whose kind compares slices."""
    groups = group_by_protocol(results.listed_tests).items()
    tables = [slice_table(protocol, tests) for protocol, tests in groups]
    return [table for table in tables if table.rows]


def _unfinished_row(run: Run, last_columns: Sequence[str]) -> list[str]:
    return [
        str(run.number),
        run.status,
        *(value_text(run.setting(f"config.{key}")) for key in ("model.name", "data.name", "seed")),
        epochs_text(run),
        *(_last_text(run) if column == _last_column(run) else "-" for column in last_columns),
        run.name,
    ]


def _last_column(run: Run) -> str:
    return validation_shown(str(run.metric)).column


def _last_text(run: Run) -> str:
    if not run.val_curve:
        return "-"
    return f"{run.val_curve[max(run.val_curve)] * validation_shown(str(run.metric)).factor:.2f}"


def _order(test: ModelTest) -> tuple[Any, ...]:
    run = test.run
    width, seed = (run.setting(f"config.{key}") for key in ("model.width", "seed"))
    settings = [str(value) for value in test.settings.values()]
    return test.summary["trained_on"], test.model, -(width or 0), settings, seed or 0, run.number


def _protocol_order(protocol: TestProtocol, tests: Sequence[ModelTest]) -> tuple[Any, ...]:
    # Every protocol is a frozen dataclass; `TestProtocol` cannot say so.
    values = astuple(protocol)  # type: ignore[call-overload]
    return KINDS.index(tests[0].kind), [str(value) for value in values]
