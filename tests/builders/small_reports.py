"""Folders of small runs and studies, and what the report makes of them."""

import json
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from builders.small_runs import (
    LAM_HEADER,
    PROTOCOL,
    write_lam_job,
    write_lam_run,
    write_lam_test,
    write_log,
    write_run,
    write_test,
)
from common.report.command import write_report
from common.report.reading import read_results
from common.report.study.comparison import compare
from common.report.study.study import find_studies
from common.report.study.tables import comparison_table
from common.report.tables.groups import group_by_protocol

ROWS = {"off": 0.2, "head": 0.3, "both": 0.4}
PRIORS = {"off": "none", "head": "head", "both": "all"}


def write_gaze_runs(runs):
    """Write a run that was started thrice, one of another net, one that failed."""
    first = write_run(runs / "sweep/0")
    write_log(first, 0, ["0,9,,,8.0", "0,9,,0.5,", "1,19,,,7.0", ",19,,,"])
    write_log(first, 10, ["2,29,,,5.0", "3,29,4.0,,"])
    write_log(first, 9, ["1,19,,,6.0"])
    write_test(first)
    second = write_run(runs / "b", name="flame_b", seed=1, time="2026-11-21T11:00:00+00:00")
    write_test(second, mean_deg=4.5, std_deg=None, interval_over_subjects_deg=None)
    write_run(runs / "broken_run", status="failed", time="2026-11-21T12:00:00+00:00")
    return runs


def write_lam_runs(runs):
    """Write a run of each net of eye contact, GazeLSTM's with a learning curve."""
    lstm = write_lam_run(runs / "lstm", model="gazelstm", dropout="none")
    write_log(lstm, 0, ["0,9,0.5,,", "0,9,,0.6,0.62", "1,19,,0.5,0.71"], LAM_HEADER)
    write_lam_test(lstm, model="gazelstm", map=0.71, protocol=PROTOCOL | {"dropout": "none"})
    pose = write_lam_run(runs / "pose", seed=1, time="2026-11-22T11:00:00+00:00")
    write_lam_test(pose)
    return runs


def only_group(runs_dir):
    (group,) = group_by_protocol(read_results(runs_dir).tests)
    return group


def column(runs_dir, name):
    table = only_group(runs_dir).table
    return [row[list(table.columns).index(name)] for row in table.rows]


def write_undrawn(runs_dir, output_dir=None):
    """Write the report with empty pictures: drawing them takes most of its time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Figure, "savefig", lambda _, path, **__: Path(path).touch())
        return write_report(runs_dir, output_dir)


def page_of(runs_dir):
    write_undrawn(runs_dir)
    return (runs_dir / "report/index.html").read_text()


def write_study(runs, plan, skip=(), **run_options):
    for row in plan["rows"]:
        for seed in plan["seeds"]:
            if (row, seed) not in skip:
                options = {"skill": ROWS[row], "priors": PRIORS[row]} | run_options
                write_lam_job(runs / plan["name"], plan, row, seed, **options)
    return runs


def only_outcome(runs_dir):
    (study,) = find_studies(read_results(runs_dir))
    return compare(study)


def only_table(runs_dir):
    (table,) = only_outcome(runs_dir).tables
    return table


def cells(runs_dir, column):
    table = comparison_table(only_table(runs_dir))
    return [row[list(table.columns).index(column)] for row in table.rows]


def values_of(runs_dir, row):
    paths = sorted(runs_dir.glob(f"*/{row}_seed*/test/*.json"))
    return [json.loads(path.read_text())["map"] for path in paths]
