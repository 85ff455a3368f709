"""Columns of the report's result tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from common.report.run import ModelTest, Run


class Baseline(NamedTuple):
    """What a baseline's row is made of: name, value as shown, and any test of the protocol."""

    name: str
    value: str
    test: ModelTest


def _nothing(_: Baseline) -> str:
    return ""


@dataclass(frozen=True)
class Column:
    """A column of the result table.

    Attributes:
        name: its heading.
        cell: text of a test, given all tests of the table.
        baseline: text of a baseline; empty by default.
        is_numeric: aligned to the right.
    """

    name: str
    cell: Callable[[ModelTest, Sequence[ModelTest]], str]
    baseline: Callable[[Baseline], str] = _nothing
    is_numeric: bool = False


def number_column() -> Column:
    """Return the column of the run's number."""
    return Column("#", lambda test, _: str(test.run.number), is_numeric=True)


def model_column() -> Column:
    """Return the column of the model, or the baseline's name."""
    return Column("model", lambda test, _: test.model, lambda baseline: baseline.name)


def summary_column(name: str, key: str) -> Column:
    """Return a column that shows a test's text as it is."""
    return Column(name, lambda test, _: str(test.summary[key]))


def count_column(name: str, key: str) -> Column:
    """Return a column of a number of samples, which a baseline shares with the tests."""
    return Column(
        name,
        lambda test, _: str(test.summary[key]),
        lambda baseline: str(baseline.test.summary[key]),
        is_numeric=True,
    )


def config_column(name: str, path: str) -> Column:
    """Return a column of a run's setting, by its dotted path in run.json."""
    return Column(name, lambda test, _: value_text(test.run.setting(path)), is_numeric=True)


def epochs_column() -> Column:
    """Return the column of how far the run came."""
    return Column("epochs", lambda test, _: epochs_text(test.run), is_numeric=True)


def ending_columns() -> tuple[Column, ...]:
    """Return how the run ended, and where in it the test lies."""
    return (
        Column("status", lambda test, _: test.run.status),
        Column("files", lambda test, _: test.folder),
    )


def epochs_text(run: Run) -> str:
    """Return trained / planned epochs, e.g. ``37/201``."""
    planned = run.setting("config.trainer.max_epochs")
    trained = value_text(run.num_epochs)
    return f"{trained}/{planned}" if planned is not None else trained


def value_text(value: Any) -> str:
    """Return a value as text; a dash if there is none."""
    return "-" if value is None else str(value)
