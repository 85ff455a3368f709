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
    lines = [
        {
            **{"#": str(run.number), "status": run.status},
            "model": run.setting_text("config.model.name"),
            "data": run.setting_text("config.data.name"),
            "seed": run.setting_text("config.seed"),
            "epochs": run.epochs_text,
            **{name: _last_text(run) if name == _last_column(run) else "-" for name in last},
            "run": run.name,
        }
        for run in runs
    ]
    return Table.of(_UNFINISHED, lines)


def run_table(results: Results) -> Table:
    """Return all runs: what the numbers in the other tables stand for."""
    lines = [{"#": str(r.number), "status": r.status, "run": r.name} for r in results.runs]
    return Table.of("Runs", lines)


def unread_table(results: Results) -> Table:
    """Return the files that could not be used, with the reason."""
    lines = [
        {"file": item.path.relative_to(results.runs_dir).as_posix(), "reason": item.reason}
        for item in results.unread
    ]
    return Table.of("Files not used", lines)


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


def _last_column(run: Run) -> str:
    return validation_shown(str(run.metric)).column


def _last_text(run: Run) -> str:
    if not run.val_curve:
        return "-"
    return f"{run.val_curve[max(run.val_curve)] * validation_shown(str(run.metric)).factor:.2f}"
