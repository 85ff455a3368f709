"""Tables of the report: one a test protocol, and what became of the runs; names for figures."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple
from typing import Any

from common.report.kinds.model_test import ModelTest, TestProtocol
from common.report.kinds.registry import KINDS, kind_optimising, validation_shown
from common.report.reading import Results
from common.report.run import NO_RUN, Run
from common.report.tables.formats import NUMERIC, Table
from common.report.tables.slices import slice_table

UNFINISHED = "Runs not finished or not tested (running may also mean killed)"
Groups = Mapping[TestProtocol, Sequence[ModelTest]]


def group_by_protocol(tests: Iterable[ModelTest]) -> dict[TestProtocol, list[ModelTest]]:
    """Return the tests by protocol, in the order of training data, model, settings and seed."""
    groups: dict[TestProtocol, list[ModelTest]] = {}
    for test in sorted(tests, key=_order):
        groups.setdefault(test.protocol, []).append(test)
    return dict(sorted(groups.items(), key=lambda item: _protocol_order(*item)))


def result_table(protocol: TestProtocol, tests: Sequence[ModelTest]) -> Table:
    """Return the table of one protocol: baselines first, then a row a test."""
    baselines = [tests[0].baseline_cells(*item) for item in protocol.baselines.items()]
    cells = [test.cells(tests) for test in tests]
    columns = list(cells[0])
    rows = [[row.get(column, "") for column in columns] for row in (*baselines, *cells)]
    return Table(protocol.caption, columns, rows, NUMERIC | tests[0].numeric_columns)


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


def name_of_run(run: Run, runs: Sequence[Run]) -> str:
    """Return a short name: number, model, what sets it apart, seed; how it ended, if not well.

    Args:
        run: the run.
        runs: those it is shown with.
    """
    kind = kind_optimising(run.metric)
    if kind is None:
        return _name(run, [])
    others = [kind.settings_of(other, {}) for other in runs]
    return _name(run, kind.setting_texts(kind.settings_of(run, {}), others))


def name_of_test(test: ModelTest, tests: Sequence[ModelTest]) -> str:
    """Return the run's short name, with the training data if it was tested on others.

    Args:
        test: the test.
        tests: those it is shown with.
    """
    name = _name(test.run, test.setting_texts(test.settings, [other.settings for other in tests]))
    trained_on, tested_on = test.summary["trained_on"], test.summary["tested_on"]
    return name + (f"\ntrained on {trained_on}" if trained_on != tested_on else "")


def _name(run: Run, settings: Sequence[str]) -> str:
    seed = run.setting("config.seed")
    parts = [f"#{run.number} {run.setting('config.model.name') or run.name}", *settings]
    parts += [f"seed {seed}"] * (seed is not None)
    parts += [run.status] * (run.status not in ("finished", NO_RUN))
    return ", ".join(parts)


def _unfinished_row(run: Run, last_columns: Sequence[str]) -> list[str]:
    return [
        str(run.number),
        run.status,
        *(run.setting_text(f"config.{key}") for key in ("model.name", "data.name", "seed")),
        run.epochs_text,
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
    return KINDS.index(type(tests[0])), [str(value) for value in astuple(protocol)]
