"""A study's section of the page."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from xml.etree.ElementTree import Element

from common.report.html import (
    details_of_test,
    image_node,
    node,
    status_node,
    table_node,
    typeset,
)
from common.report.study.beside import table_beside
from common.report.study.comparison import Comparison, Outcome, Refusal
from common.report.study.figures import save_study_bars, save_study_curves
from common.report.study.notes import comparison_notes, study_notes
from common.report.study.slices import study_slice_tables
from common.report.study.study import StudyRow
from common.report.study.tables import (
    comparison_table,
    overview_table,
    published_listing,
    refusal_table,
    seed_table,
    status_table,
)
from common.report.tables.formats import Table


def study_section(number: int, outcome: Outcome, output_dir: Path) -> Iterable[Element]:
    """Yield headline, tables with bars and notes, curves, single trainings, published numbers.

    Args:
        number: of the study on the page, part of its images' names.
        outcome: of the study.
        output_dir: the page's folder; images are written to ``images/`` in it.
    """
    study, comparisons = outcome.study, outcome.comparisons
    yield node("h2", study.title)
    yield node("p", f"Study {study.name} in {study.folder.name}/: {study.progress}", class_="muted")
    if len(comparisons) > 1:
        yield from _overview(comparisons)
    for place, table in enumerate(outcome.tables, start=1):
        if isinstance(table, Refusal):
            yield from _refused(table)
        else:
            source = f"images/study_{number}_{place}.png"
            yield from _compared(table, source, output_dir)
    if not comparisons:
        yield table_node(status_table(study))
    yield from _paragraphs(study_notes(study))
    if comparisons:
        yield from _curves(number, study.rows, output_dir)
        kind = comparisons[0].kind
        yield _folded(seed_table(study, kind))
        yield from _own_figures(number, outcome, output_dir)
        published = table_beside(study)
        if published is not None:
            yield _folded(published_listing(published, kind))


def _overview(comparisons: Sequence[Comparison]) -> Iterable[Element]:
    label = comparisons[0].kind.measure.label
    yield node("p", typeset(f"{label}, mean +- std over seeds"), class_="muted")
    yield table_node(overview_table(comparisons))


def _refused(refusal: Refusal) -> Iterable[Element]:
    table = refusal_table(refusal)
    yield node("p", status_node("refused"), f": {table.caption}.")
    yield table_node(table)


def _compared(comparison: Comparison, source: str, output_dir: Path) -> Iterable[Element]:
    save_study_bars(comparison, output_dir / source)
    yield node("h3", comparison.protocol.title)
    yield node("p", comparison.protocol.caption, class_="muted")
    yield table_node(comparison_table(comparison))
    yield from _paragraphs(comparison_notes(comparison))
    caption = f"{comparison.kind.measure.name}: mean over seeds"
    yield node("div", image_node(source, caption), class_="chart")
    yield from (_folded(table) for table in study_slice_tables(comparison))


def _own_figures(number: int, outcome: Outcome, output_dir: Path) -> Iterable[Element]:
    """Yield the figures that the tests left, folded twice: they are many."""
    details = []
    for place, test in enumerate(outcome.tests, start=1):
        title = f"{test.run.name}, tested on {test.summary['tested_on']}: {test.value_text}"
        stem = f"study_{number}_test_{place}"
        details.append(details_of_test(test, title, stem, output_dir))
    kind_title = outcome.comparisons[0].kind.details_title
    title = f"{outcome.study.title}: {kind_title[0].lower()}{kind_title[1:]}, a figure a training"
    yield node("details", node("summary", title), *details)


def _curves(number: int, rows: Sequence[StudyRow], output_dir: Path) -> Iterable[Element]:
    groups: dict[tuple[str, str], list[StudyRow]] = {}
    for row in rows:
        run = next((run for run in row.runs if run.val_curve), None)
        if run is not None:
            key = (str(run.setting("data.name")), str(run.metric))
            groups.setdefault(key, []).append(row)
    for place, ((data, metric), group) in enumerate(groups.items(), start=1):
        source = f"images/study_{number}_curves_{place}.png"
        save_study_curves(group, metric, output_dir / source)
        caption = f"{metric} on the val part of {data}: mean over seeds, band +- std"
        yield node("div", image_node(source, typeset(caption)), class_="chart")


def _folded(table: Table) -> Element:
    return node("details", node("summary", table.caption), table_node(table))


def _paragraphs(texts: Sequence[str]) -> Iterable[Element]:
    for text in texts:
        yield node("p", typeset(text), class_="note")
