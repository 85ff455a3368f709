"""Folders of fabricated runs that a report is made of, and what their tables hold."""

from fabricated_runs import write_log, write_run, write_test

from common.report_runs import read_results
from common.report_table import group_by_protocol


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


def only_group(runs_dir):
    groups = group_by_protocol(read_results(runs_dir).tests)
    ((protocol, tests),) = groups.items()
    return protocol, tests
