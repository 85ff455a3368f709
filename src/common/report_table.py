"""Tables of the report: one a test protocol, and what became of the runs."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from common.report_formats import Table
from common.report_runs import NO_RUN, GazeTest, Results, Run, lookup

NOT_RECORDED = "not recorded"
UNFINISHED = "Runs not finished or not tested (running may also mean killed)"
TRAIN_MEAN, HEAD_POSE = "mean of the train part", "head pose as gaze"


class Protocol(NamedTuple):
    """What two tests must share to stand in one table.

    Subjects and baselines come from the tested samples themselves (and the train part's labels),
    so data or splits that changed under an unchanged name do not slip into the same table.
    """

    tested_on: str
    part: str
    split: str
    eye_rule: str
    gaze_convention: str
    num_samples: int
    subjects: tuple[tuple[str, int], ...]  # name, number of samples
    train_mean_deg: float | None
    head_pose_deg: float | None

    @property
    def caption(self) -> str:
        """The protocol in words."""
        return (
            f"{self.tested_on}, {self.part} part (n = {self.num_samples}, subjects: "
            f"{len(self.subjects)}); split: {self.split}; eyes: {self.eye_rule}; "
            f"gaze convention: {self.gaze_convention}"
        )

    @property
    def baselines(self) -> dict[str, float]:
        """Errors of the predictors that look at no pixel, in degrees, by their name."""
        errors = {TRAIN_MEAN: self.train_mean_deg, HEAD_POSE: self.head_pose_deg}
        return {name: error for name, error in errors.items() if error is not None}


def group_by_protocol(tests: Iterable[GazeTest]) -> dict[Protocol, list[GazeTest]]:
    """Return the tests by protocol, in the order of training data, model, width and seed."""
    groups: dict[Protocol, list[GazeTest]] = {}
    for test in sorted(tests, key=_order):
        groups.setdefault(protocol_of(test), []).append(test)
    return dict(sorted(groups.items(), key=lambda item: [str(value) for value in item[0]]))


def protocol_of(test: GazeTest) -> Protocol:
    """Return a test's protocol.

    Split and gaze convention are those that the summary names; for the test at the end of a
    training, whose data are the run's, those of the run.
    """
    summary = test.summary
    data = test.run.snapshot.get("data", {}) if test.path.parent.name == "test" else {}
    split = summary.get("split") or data.get("split")
    convention = summary.get("gaze_convention") or lookup(data, "recipe.gaze_convention")
    return Protocol(
        tested_on=summary["tested_on"],
        part=summary["part"],
        split=split or NOT_RECORDED,
        eye_rule=summary["eye_rule"],
        gaze_convention=convention or NOT_RECORDED,
        num_samples=summary["num_samples"],
        subjects=tuple((str(s["slice"]), s["num_samples"]) for s in summary["by"]["subject"]),
        train_mean_deg=_rounded(summary["baselines"].get("train_mean_deg")),
        head_pose_deg=_rounded(summary["baselines"].get("head_pose_deg")),
    )


def result_table(protocol: Protocol, tests: Sequence[GazeTest]) -> Table:
    """Return the table of one protocol: baselines first, then a row a test."""
    columns = (
        *("#", "model", "mean +- std [deg]", "95 % interval", "width", "trained on", "seed"),
        *("n", "epochs", "status", "files"),
    )
    num = str(protocol.num_samples)
    baselines = [
        ["", name, f"{error:.2f}", "", "", "", "", num, "", "", ""]
        for name, error in protocol.baselines.items()
    ]
    return Table(protocol.caption, columns, [*baselines, *(_result_row(test) for test in tests)])


def unfinished_table(results: Results) -> Table:
    """Return the runs that did not finish, or left no test to show."""
    tested = {test.run.number for test in results.tests}
    ended = ("finished", NO_RUN)
    runs = [run for run in results.runs if run.status not in ended or run.number not in tested]
    columns = ("#", "status", "model", "data", "seed", "epochs", "last val error", "run")
    return Table(UNFINISHED, columns, [_unfinished_row(run) for run in runs])


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
    groups = group_by_protocol(results.tests).items()
    lists = [unfinished_table(results), run_table(results), unread_table(results)]
    tables = [*(result_table(protocol, tests) for protocol, tests in groups), *lists]
    return [table for table in tables if table.rows]


def epochs_text(run: Run) -> str:
    """Return trained / planned epochs, e.g. ``37/201``."""
    planned = run.setting("config.trainer.max_epochs")
    return f"{_text(run.num_epochs)}/{planned}" if planned is not None else _text(run.num_epochs)


def as_csv(results: Results) -> str:
    """Return one line a test with all its numbers unrounded; protocols side by side."""
    lines = [_csv_line(test) for test in results.tests]
    file = io.StringIO()
    writer = csv.DictWriter(file, CSV_COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return file.getvalue()


CSV_COLUMNS = (
    *("run", "status", "model", "model_key", "width", "trained_on", "tested_on", "part"),
    *("split", "eye_rule", "gaze_convention", "seed", "num_samples", "mean_deg", "std_deg"),
    *("subjects_low_deg", "subjects_high_deg", "samples_low_deg", "samples_high_deg"),
    *("train_mean_baseline_deg", "head_pose_baseline_deg", "num_epochs", "max_epochs"),
    *("precision", "commit", "file"),
)


def _csv_line(test: GazeTest) -> dict[str, Any]:
    run, summary, protocol = test.run, test.summary, protocol_of(test)
    return {
        "run": run.name,
        "status": run.status,
        "model": test.model,
        "model_key": summary["model"],
        "width": run.setting("config.model.width"),
        "trained_on": summary["trained_on"],
        **{key: value for key, value in protocol._asdict().items() if key in CSV_COLUMNS},
        "seed": run.setting("config.seed"),
        "mean_deg": summary["mean_deg"],
        "std_deg": summary["std_deg"],
        "subjects_low_deg": lookup(summary, "interval_over_subjects_deg.low"),
        "subjects_high_deg": lookup(summary, "interval_over_subjects_deg.high"),
        "samples_low_deg": lookup(summary, "interval_over_samples_deg.low"),
        "samples_high_deg": lookup(summary, "interval_over_samples_deg.high"),
        "train_mean_baseline_deg": lookup(summary, "baselines.train_mean_deg"),
        "head_pose_baseline_deg": lookup(summary, "baselines.head_pose_deg"),
        "num_epochs": run.num_epochs,
        "max_epochs": run.setting("config.trainer.max_epochs"),
        "precision": run.setting("config.trainer.precision"),
        "commit": run.setting("git.commit"),
        "file": test.path.relative_to(run.folder).as_posix(),
    }


def _result_row(test: GazeTest) -> list[str]:
    run, summary = test.run, test.summary
    interval, std = summary["interval_over_subjects_deg"], summary["std_deg"]
    return [
        str(run.number),
        test.model,
        f"{summary['mean_deg']:.2f}" + ("" if std is None else f" +- {std:.2f}"),
        "-" if interval is None else f"[{interval['low']:.2f}, {interval['high']:.2f}]",
        _text(run.setting("config.model.width")),
        summary["trained_on"],
        _text(run.setting("config.seed")),
        str(summary["num_samples"]),
        epochs_text(run),
        run.status,
        test.folder,
    ]


def _unfinished_row(run: Run) -> list[str]:
    last = run.val_curve[max(run.val_curve)] if run.val_curve else None
    return [
        str(run.number),
        run.status,
        *(_text(run.setting(f"config.{key}")) for key in ("model.name", "data.name", "seed")),
        epochs_text(run),
        "-" if last is None else f"{last:.2f}",
        run.name,
    ]


def _order(test: GazeTest) -> tuple[str, str, float, float, int]:
    run = test.run
    width, seed = (run.setting(f"config.{key}") for key in ("model.width", "seed"))
    return test.summary["trained_on"], test.model, -(width or 0), seed or 0, run.number


def _rounded(error_deg: float | None) -> float | None:
    return None if error_deg is None else round(error_deg, 3)


def _text(value: Any) -> str:
    return "-" if value is None else str(value)
