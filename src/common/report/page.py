"""The report's page: index.html with its pictures beside it, movable as one folder."""

import shlex
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

from common.files.atomic import write_text_atomically
from common.report.figures import save_bars, save_learning_curves, save_slices
from common.report.html import (
    copied_image,
    details_of_test,
    image_node,
    node,
    page,
    status_node,
    table_node,
    typeset,
)
from common.report.kinds.model_test import ModelTest, TestProtocol
from common.report.kinds.registry import KINDS
from common.report.reading import Results
from common.report.run import NOT_RECORDED, Run
from common.report.study.comparison import Outcome
from common.report.study.section import study_section
from common.report.tables.formats import Table
from common.report.tables.results import (
    Groups,
    group_by_protocol,
    name_of_run,
    name_of_test,
    result_table,
    run_table,
    unfinished_table,
    unread_table,
)
from common.report.tables.slices import slice_table

MAX_PHOTOS = 12


def write_page(results: Results, outcomes: Sequence[Outcome], output_dir: Path) -> Path:
    """Write index.html and images/; the page last, so that it never names a missing image.

    Args:
        results: of `read_results`.
        outcomes: of its studies.
        output_dir: where both go.

    Returns:
        The page.
    """
    groups = group_by_protocol(results.listed_tests)
    body = [
        *_headline(results, outcomes, groups),
        *chain.from_iterable(
            study_section(number, outcome, output_dir)
            for number, outcome in enumerate(outcomes, start=1)
        ),
        *chain.from_iterable(
            _protocol_section(number, protocol, tests, output_dir)
            for number, (protocol, tests) in enumerate(groups.items(), start=1)
        ),
        *_curve_section(_without_study_curves(results.runs, outcomes), output_dir),
        *_photo_section(results.runs, output_dir),
        *_table_section(unfinished_table(results)),
        *_table_section(unread_table(results)),
        *_run_section(results),
    ]
    path = output_dir / "index.html"
    write_text_atomically(path, page("Gaze report", *body))
    return path


def _headline(results: Results, outcomes: Sequence[Outcome], groups: Groups) -> Iterable[Element]:
    statuses = [run.status for run in results.runs]
    counts = ", ".join(f"{statuses.count(name)} {name}" for name in sorted(set(statuses)))
    yield node("h1", "Gaze report")
    yield node(
        "p",
        f"{len(results.runs)} runs ({counts}), {len(results.tests)} tests, "
        f"{len(outcomes)} studies, {len(groups)} other test protocols, in "
        f"{results.runs_dir.resolve().name}/",
        class_="muted",
    )
    yield node("div", *(_card(*group) for group in groups.items()), class_="cards")
    shown = {type(test) for test in results.tests}
    for kind in KINDS:
        if kind in shown:
            yield node("p", typeset(kind.explanation))


def _card(protocol: TestProtocol, tests: Sequence[ModelTest]) -> Element:
    measure = tests[0].measure
    best = min(tests, key=lambda test: measure.badness(test.value))
    baselines = [
        node("div", f"{name}: {measure.text(value)} {measure.unit}", class_="muted")
        for name, value in protocol.baselines.items()
    ]
    return node(
        "div",
        node("div", f"{protocol.tested_on}, {protocol.part}: {measure.best} of {len(tests)}"),
        node("strong", best.value_text),
        node("div", _line(name_of_test(best, tests))),
        *baselines,
        class_="card",
    )


def _protocol_section(
    number: int, protocol: TestProtocol, tests: Sequence[ModelTest], output_dir: Path
) -> Iterable[Element]:
    kind = type(tests[0])
    stem = f"{kind.figure_stem}_{number}"
    bars = f"images/{stem}.png"
    save_bars(protocol, tests, output_dir / bars)
    yield node("h2", protocol.title)
    yield node("p", protocol.caption, class_="muted")
    yield table_node(result_table(protocol, tests))
    yield node("div", image_node(bars, kind.bars_caption), class_="chart")
    yield from _slice_nodes(protocol, tests, f"images/{stem}_slices.png", output_dir)
    yield node("h3", kind.details_title)
    for place, test in enumerate(tests, start=1):
        title = f"{_line(name_of_test(test, tests))}: {test.value_text}"
        figure = f"{stem}_test_{place}"
        yield details_of_test(test, title, figure, output_dir, is_open=place == 1)


def _slice_nodes(
    protocol: TestProtocol, tests: Sequence[ModelTest], source: str, output_dir: Path
) -> Iterable[Element]:
    table = slice_table(protocol, tests)
    if table.rows:
        measure = tests[0].measure
        save_slices(tests, output_dir / source)
        yield node("h3", f"{measure.name} by slice")
        caption = f"{measure.label} by slice; in brackets: a slice's number of samples"
        yield node("div", image_node(source, caption), class_="chart")
        yield table_node(table)


def _line(name: str) -> str:
    return name.replace("\n", ", ")


def _without_study_curves(runs: Sequence[Run], outcomes: Sequence[Outcome]) -> list[Run]:
    """Return the runs whose curves no study's section shows: all but its finished ones."""
    in_studies = {
        run.number for outcome in outcomes if outcome.comparisons for run in outcome.study.runs
    }
    return [run for run in runs if run.number not in in_studies]


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
    found = [
        [(run, path) for path in sorted(run.folder.glob("predict/*/*.jpg")) if path.is_file()]
        for run in runs
    ]
    # Every run has its first photo shown before any has its second.
    photos = [photo for turn in zip_longest(*found) for photo in turn if photo is not None]
    if photos:
        shown = photos[:MAX_PHOTOS]
        figures = [
            image_node(
                copied_image(path, f"photo_{place}", output_dir),
                f"{path.parent.name}/{path.name}: {name_of_run(run, [run])}",
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
        "epochs": run.epochs_text,
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
