"""What became of the runs, and what they are called in tables and figures."""

from collections.abc import Sequence

from common.report.kinds.registry import kind_optimising, validation_shown
from common.report.reading import Results
from common.report.run import NO_RUN, Run
from common.report.tables.formats import Table

_UNFINISHED = "Runs not finished or not tested (running may also mean killed)"


def unfinished_table(results: Results) -> Table:
    """Return the runs that did not finish, or left no test to show."""
    tested = {test.run.number for test in results.tests}
    ended = ("finished", NO_RUN)
    runs = [run for run in results.runs if run.status not in ended or run.number not in tested]
    last = list(dict.fromkeys(_last_column(run) for run in runs if run.metric is not None))
    columns = ("#", "status", "model", "data", "seed", "epochs", *last, "run")
    return Table(_UNFINISHED, columns, [_unfinished_row(run, last) for run in runs])


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


def name_of_run(run: Run, runs: Sequence[Run]) -> str:
    """Return the short name of a run among those it is shown with."""
    kind = kind_optimising(run.metric)
    if kind is None:
        return short_name(run, [])
    others = [kind.settings_of(other, {}) for other in runs]
    return short_name(run, kind.setting_texts(kind.settings_of(run, {}), others))


def short_name(run: Run, settings: Sequence[str]) -> str:
    """Return number, model, what sets it apart, seed; how it ended, if not well."""
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
