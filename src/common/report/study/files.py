"""A study's files: tables ready to paste, and its numbers."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from common.files.atomic import write_text_atomically
from common.report.study.comparison import Outcome, Refusal
from common.report.study.csv_files import rows_csv, trainings_csv
from common.report.study.notes import comparison_notes, study_notes
from common.report.study.study import Study
from common.report.study.tables import (
    comparison_table,
    overview_table,
    refusal_table,
    status_table,
)
from common.report.tables.formats import Table, as_latex, as_markdown, as_text, markdown_text


def write_study_files(outcomes: Sequence[Outcome], output_dir: Path) -> None:
    """Write NAME.tex, NAME.csv and NAME_trainings.csv of every study.

    Args:
        outcomes: studies; a second one of a name gets a number.
        output_dir: where the files go.
    """
    for stem, outcome in zip(_stems(outcomes), outcomes, strict=True):
        write_text_atomically(output_dir / f"{stem}.tex", _latex(outcome, stem))
        write_text_atomically(output_dir / f"{stem}.csv", rows_csv(outcome.comparisons))
        write_text_atomically(output_dir / f"{stem}_trainings.csv", trainings_csv(outcome.study))


def headline(study: Study) -> str:
    """Return what a study is, and how far."""
    return f"{study.title} (study {study.name} in {study.folder.name}/): {study.progress}"


def study_text(outcome: Outcome) -> str:
    """Return a study's tables and what stands under them, for the screen."""
    parts = [
        "".join([as_text(table), *(f"{note}\n" for note in notes)])
        for table, notes in _tables(outcome)
    ]
    notes = [f"{note}\n" for note in study_notes(outcome.study)]
    return "\n".join(["".join([f"{headline(outcome.study)}\n", *notes]), *parts])


def study_markdown(outcome: Outcome) -> str:
    """Return a study's tables and what stands under them in Markdown."""
    parts = [
        "\n".join([as_markdown(table), *(f"{markdown_text(note)}\n" for note in notes)])
        for table, notes in _tables(outcome)
    ]
    lines = [f"## {headline(outcome.study)}", *study_notes(outcome.study)]
    return "\n".join([*(f"{markdown_text(line)}\n" for line in lines), *parts])


def _stems(outcomes: Sequence[Outcome]) -> list[str]:
    # A name from another's run.json leads nowhere else, and is no LaTeX.
    names = [re.sub(r"[^\w.-]", "-", outcome.study.name) for outcome in outcomes]
    turns = [names[: place + 1].count(name) for place, name in enumerate(names)]
    return [f"{name}_{turn}" if turn > 1 else name for name, turn in zip(names, turns, strict=True)]


def _tables(outcome: Outcome) -> Iterable[tuple[Table, list[str]]]:
    """Yield a study's tables with what stands under them."""
    if len(outcome.comparisons) > 1:
        yield overview_table(outcome.comparisons), []
    for table in outcome.tables:
        if isinstance(table, Refusal):
            yield refusal_table(table), []
        else:
            yield comparison_table(table), comparison_notes(table)
    if not outcome.comparisons:
        yield status_table(outcome.study), []


def _latex(outcome: Outcome, stem: str) -> str:
    lines = [headline(outcome.study), *study_notes(outcome.study)]
    parts = ["\n".join(["% needs \\usepackage{booktabs}", *map(_comment, lines)])]
    for number, (table, notes) in enumerate(_tables(outcome), start=1):
        remarks = "".join(f"{_comment(note)}\n" for note in notes)
        parts.append(as_latex(table, f"tab:{stem}_{number}") + remarks)
    return "\n\n".join(parts)


def _comment(text: str) -> str:
    return f"% {' '.join(text.split())}"
