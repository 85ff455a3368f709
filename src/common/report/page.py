"""The report's page: index.html with its pictures beside it, movable as one folder."""

import shlex
import shutil
from collections.abc import Callable, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

from common.files.atomic import partial_path, write_text_atomically
from common.page import page_text
from common.report import figures
from common.report.content import Report
from common.report.figures import Line
from common.report.kinds.registry import KINDS
from common.report.published import published_tables
from common.report.run import NOT_RECORDED, Run
from common.report.study import notes as study_notes
from common.report.study import tables as study_tables
from common.report.study.study import Study
from common.report.tables import runs as run_tables
from common.report.tables.formats import Table

_MAX_PHOTOS = 12


def write_page(report: Report, output_dir: Path) -> Path:
    """Write index.html and images/; the page last, so that it never names a missing image."""

    def drawn(draw: Callable[..., None], stem: str, *content: Any) -> str:
        draw(*content, output_dir / f"images/{stem}.png")
        return f"images/{stem}.png"

    def copied(image: Path, stem: str) -> str:
        with partial_path(output_dir / f"images/{stem}{image.suffix}") as partial:
            shutil.copyfile(image, partial)
        return f"images/{stem}{image.suffix}"

    shown = {type(test) for test in report.results.tests}
    text = page_text(
        "report.html",
        **{"report": report, "results": report.results, "published": published_tables()},
        kinds=[kind for kind in KINDS if kind in shown],
        curves=run_curves(report.other_runs),
        photos=predicted_photos(report.results.runs),
        max_photos=_MAX_PHOTOS,
        # What the template calls.
        **{"copied": copied, "drawn": drawn, "figures": figures, "shell_text": shlex.join},
        **{"run_tables": run_tables, "study_tables": study_tables, "study_notes": study_notes},
        **{"run_facts": run_facts, "study_curves": study_curves},
    )
    path = output_dir / "index.html"
    write_text_atomically(path, text)
    return path


def run_curves(runs: Sequence[Run]) -> list[tuple[str, str, str, list[Line]]]:
    """Return data, split, metric and a line a run of the runs that may be drawn together."""
    groups: dict[tuple[str, str, str], list[Run]] = {}
    for run in runs:
        if run.val_curve:
            keys = ("data.name", "data.split", "config.optimized_metric")
            data, split, metric = (str(run.setting(key) or NOT_RECORDED) for key in keys)
            groups.setdefault((data, split, metric), []).append(run)
    return [
        (
            *key,
            [
                Line(run_tables.name_of_run(run, group), [run.val_curve], run.status != "finished")
                for run in group
            ],
        )
        for key, group in sorted(groups.items())
    ]


def study_curves(study: Study) -> list[tuple[str, str, list[Line]]]:
    """Return data, metric and a line a row of the rows that may be drawn together."""
    groups: dict[tuple[str, str], list[Line]] = {}
    for row in study.rows:
        runs = [run for run in row.runs if run.val_curve]
        if runs:
            key = str(runs[0].setting("data.name")), str(runs[0].metric)
            groups.setdefault(key, []).append(Line(row.title, [run.val_curve for run in runs]))
    return [(*key, lines) for key, lines in groups.items()]


def predicted_photos(runs: Sequence[Run]) -> list[tuple[Run, Path]]:
    """Return the runs' photos; every run's first before any has its second."""
    found = [
        [(run, path) for path in sorted(run.folder.glob("predict/*/*.jpg")) if path.is_file()]
        for run in runs
    ]
    return [photo for turn in zip_longest(*found) for photo in turn if photo is not None]


def run_facts(run: Run) -> Table:
    """Return what a reader may ask about a run."""
    commit = run.setting("git.commit")
    changed = " + uncommitted changes" if run.setting("git.changes") else ""
    versions = run.setting("versions") or {}
    num_samples = run.setting("data.num_samples") or {}
    facts: dict[str, Any] = {
        "started": ", ".join(start["time"] for start in run.setting("starts") or []),
        "epochs": run.epochs_text,
        "ended": run.setting("finished"),
        "git commit": f"{commit}{changed}" if commit else None,
        "precision": run.setting("config.trainer.precision"),
        "data": run.setting("data.name"),
        "split": run.setting("data.split"),
        "samples": ", ".join(f"{count} {part}" for part, count in num_samples.items()),
        "machine": run.setting("machine.platform"),
        "devices": ", ".join(run.setting("machine.devices") or ["no GPU"]),
        "versions": ", ".join(f"{name} {version}" for name, version in versions.items()),
    }
    rows = [[name, str(value) if value else "-"] for name, value in facts.items()]
    return Table("", ("what", "value"), rows)
