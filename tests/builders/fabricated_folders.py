"""Folders of fabricated runs that a report is made of, and what the report holds."""

from builders.fabricated_runs import (
    LAM_HEADER,
    PROTOCOL,
    write_lam_run,
    write_lam_test,
    write_log,
    write_run,
    write_test,
)
from common.report.command import write_report
from common.report.reading import read_results
from common.report.tables.groups import group_by_protocol


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


def page_of(runs_dir):
    write_report(runs_dir)
    return (runs_dir / "report/index.html").read_text()
