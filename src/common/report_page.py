"""The report's page: index.html with its pictures beside it, movable as one folder."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

from common.atomic import partial_path, write_text_atomically
from common.report_figures import bar_name, run_name, save_error_bars, save_learning_curves
from common.report_formats import Table
from common.report_html import image_node, node, page, status_node, table_node
from common.report_runs import GazeTest, Results, Run
from common.report_table import (
    NOT_RECORDED,
    Protocol,
    epochs_text,
    group_by_protocol,
    result_table,
    run_table,
    unfinished_table,
    unread_table,
)

MAX_PHOTOS = 12
_HOW_MEASURED = (
    "Error: the angle between predicted and true gaze vector, in degrees; mean +- standard "
    "deviation over the samples. The interval is a 95 % bootstrap interval of the mean that "
    "resamples whole subjects; a dash stands where one subject was tested. Tests share a table "
    "only if data, part, split, eye rule, gaze convention, subjects and the errors of the "
    "baselines are the same. The baselines look at no pixel: one always says the mean gaze of the "
    "train part, the other takes the direction of the face for the gaze."
)


def write_page(results: Results, output_dir: Path) -> Path:
    """Write index.html and images/; the page last, so that it never names a missing image.

    Args:
        results: of `read_results`.
        output_dir: where both go.

    Returns:
        The page.
    """
    groups = group_by_protocol(results.tests)
    body = [
        *_headline(results, groups),
        *chain.from_iterable(
            _protocol_section(number, protocol, tests, output_dir)
            for number, (protocol, tests) in enumerate(groups.items(), start=1)
        ),
        *_curve_section(results.runs, output_dir),
        *_photo_section(results.runs, output_dir),
        *_table_section(unfinished_table(results)),
        *_table_section(unread_table(results)),
        *_run_section(results),
    ]
    path = output_dir / "index.html"
    write_text_atomically(path, page("Gaze report", *body))
    return path


def _headline(results: Results, groups: Mapping[Protocol, Sequence[GazeTest]]) -> Iterable[Element]:
    statuses = [run.status for run in results.runs]
    counts = ", ".join(f"{statuses.count(name)} {name}" for name in sorted(set(statuses)))
    yield node("h1", "Gaze report")
    yield node(
        "p",
        f"{len(results.runs)} runs ({counts}), {len(results.tests)} tests, "
        f"{len(groups)} test protocols, in {results.runs_dir.resolve().name}/",
        class_="muted",
    )
    yield node("div", *(_card(*group) for group in groups.items()), class_="cards")
    yield node("p", _HOW_MEASURED.replace("+-", "\u00b1"))


def _card(protocol: Protocol, tests: Sequence[GazeTest]) -> Element:
    best = min(tests, key=lambda test: float(test.summary["mean_deg"]))
    baselines = [
        node("div", f"{name}: {error:.2f} deg", class_="muted")
        for name, error in protocol.baselines.items()
    ]
    return node(
        "div",
        node("div", f"{protocol.tested_on}, {protocol.part}: lowest of {len(tests)}"),
        node("strong", f"{best.summary['mean_deg']:.2f} deg"),
        node("div", bar_name(best)),
        *baselines,
        class_="card",
    )


def _protocol_section(
    number: int, protocol: Protocol, tests: Sequence[GazeTest], output_dir: Path
) -> Iterable[Element]:
    bars = f"images/errors_{number}.png"
    save_error_bars(protocol, tests, output_dir / bars)
    yield node("h2", f"{protocol.tested_on}, {protocol.part} part")
    yield node("p", protocol.caption, class_="muted")
    yield table_node(result_table(protocol, tests))
    yield node("div", image_node(bars, "Mean error and its 95 % interval"), class_="chart")
    yield node("h3", "Predicted angles and error by slice")
    for place, test in enumerate(tests, start=1):
        yield _test_details(test, f"errors_{number}_test_{place}", output_dir, place == 1)


def _test_details(test: GazeTest, stem: str, output_dir: Path, is_open: bool) -> Element:
    figure = test.path.with_suffix(".png")
    shown = (
        image_node(_copied(figure, stem, output_dir), f"{test.run.name}/{test.folder}")
        if figure.is_file()
        else node("p", f"no figure beside {test.path.name}", class_="muted")
    )
    title = f"{bar_name(test)}: {test.summary['mean_deg']:.2f} deg"
    return node("details", node("summary", title), shown, **({"open": ""} if is_open else {}))


def _curve_section(runs: Sequence[Run], output_dir: Path) -> Iterable[Element]:
    groups: dict[tuple[str, str, str], list[Run]] = {}
    for run in runs:
        if run.val_curve:
            keys = ("data.name", "data.split", "config.optimized_metric")
            data, split, metric = (str(run.setting(key) or NOT_RECORDED) for key in keys)
            groups.setdefault((data, split, metric), []).append(run)
    if groups:
        yield node("h2", "Learning curves")
    for number, ((data, split, metric), group) in enumerate(sorted(groups.items()), start=1):
        source = f"images/curves_{number}.png"
        save_learning_curves(group, metric, output_dir / source)
        caption = f"{metric} on the val part of {data}, split {split}; dotted: not finished"
        yield node("div", image_node(source, caption), class_="chart")


def _photo_section(runs: Sequence[Run], output_dir: Path) -> Iterable[Element]:
    found = [[(run, path) for path in sorted(run.folder.glob("predict/*/*.jpg"))] for run in runs]
    # Every run has its first photo shown before any has its second.
    photos = [photo for turn in zip_longest(*found) for photo in turn if photo is not None]
    if photos:
        shown = photos[:MAX_PHOTOS]
        figures = [
            image_node(
                _copied(path, f"photo_{place}", output_dir),
                f"{path.parent.name}/{path.name}: {run_name(run)}",
            )
            for place, (run, path) in enumerate(shown, start=1)
        ]
        yield node("h2", "Predicted photos")
        yield node("p", f"{len(shown)} of {len(photos)} photos.", class_="muted")
        yield node("div", *figures, class_="photos")


def _table_section(table: Table) -> Iterable[Element]:
    if table.rows:
        yield node("h2", table.caption)
        yield table_node(table)


def _run_section(results: Results) -> Iterable[Element]:
    yield node("h2", run_table(results).caption)
    for run in results.runs:
        commands = ["python " + shlex.join(s["command"]) for s in run.setting("starts") or []]
        facts = table_node(Table("", ("what", "value"), _run_facts(run)))
        yield node(
            "details",
            node("summary", f"#{run.number} {run.name} ", status_node(run.status)),
            node("pre", "\n".join(commands) or "no command recorded"),
            *([facts] if run.setting("config") else []),
        )


def _run_facts(run: Run) -> list[list[str]]:
    commit = run.setting("git.commit")
    changed = " + uncommitted changes" if run.setting("git.changes") else ""
    versions = [f"{name} {value}" for name, value in (run.setting("versions") or {}).items()]
    facts: dict[str, Any] = {
        "started": ", ".join(start["time"] for start in run.setting("starts") or []),
        "epochs": epochs_text(run),
        "ended": run.setting("finished"),
        "git commit": f"{commit}{changed}" if commit else None,
        "precision": run.setting("config.trainer.precision"),
        "data": run.setting("data.name"),
        "split": run.setting("data.split"),
        "samples": _listed(run.setting("data.num_samples")),
        "machine": run.setting("machine.platform"),
        "devices": ", ".join(run.setting("machine.devices") or ["no GPU"]),
        "versions": ", ".join(versions),
    }
    return [[name, str(value) if value else "-"] for name, value in facts.items()]


def _listed(counts: Mapping[str, int] | None) -> str:
    return ", ".join(f"{count} {part}" for part, count in (counts or {}).items())


def _copied(path: Path, stem: str, output_dir: Path) -> str:
    source = f"images/{stem}{path.suffix}"
    with partial_path(output_dir / source) as partial:
        shutil.copyfile(path, partial)
    return source
