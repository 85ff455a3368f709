"""A study's files: tables ready to paste, and its numbers."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from common.files.atomic import write_text_atomically
from common.listing import slice_name
from common.report.kinds.measure import Quantity
from common.report.kinds.model_test import ModelTest
from common.report.study.comparison import Comparison, Outcome, Refusal, RowResult
from common.report.study.notes import comparison_notes, study_notes
from common.report.study.study import Study
from common.report.study.tables import (
    comparison_table,
    overview_table,
    refusal_table,
    status_table,
)
from common.report.tables.csv_file import csv_text
from common.report.tables.formats import Table, as_latex, as_markdown, as_text, markdown_text


def write_study_files(outcomes: Sequence[Outcome], output_dir: Path) -> None:
    """Write NAME.tex and csv files of studies; a second NAME gets a number.

    NAME.csv has a line a row and test, NAME_slices.csv one a slice, if there are any, and
    NAME_trainings.csv one a training.
    """
    for stem, outcome in zip(_stems(outcomes), outcomes, strict=True):
        write_text_atomically(output_dir / f"{stem}.tex", _latex(outcome, stem))
        lines = [_line(c, result) for c in outcome.comparisons for result in c.results]
        write_text_atomically(output_dir / f"{stem}.csv", csv_text(lines))
        write_text_atomically(output_dir / f"{stem}_trainings.csv", _trainings_csv(outcome.study))
        if slices := list(_slice_lines(outcome)):
            write_text_atomically(output_dir / f"{stem}_slices.csv", csv_text(slices))


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


def _trainings_csv(study: Study) -> str:
    """Return a line a training and test, or one line of a training without a test."""
    lines = [
        {
            **{"study": study.name, "row": row.name, "seed": job.seed, "status": job.status},
            **{"run": job.run.name if job.run else None},
            **({} if test is None else _of_test(test)),
        }
        for row in study.rows
        for job in row.jobs
        for test in (job.tests or [None])
    ]
    return csv_text(lines)


def _of_test(test: ModelTest) -> dict[str, Any]:
    return {
        **{key: test.summary[key] for key in ("trained_on", "tested_on", "part")},
        **{"measure": test.measure.name, "unit": test.measure.unit},
        "value": _shown(test.measure, test.value),
    }


def _line(comparison: Comparison, result: RowResult) -> dict[str, Any]:
    """Return a row on a test, unrounded, in the unit named, as shown in the tables."""
    measure = comparison.kind.measure
    contrast = result.contrast
    return {
        **{"study": comparison.study.name, "row": result.row.name, "title": result.row.title},
        "trained_on": result.row.trained_on,
        **{"tested_on": comparison.protocol.tested_on, "part": comparison.protocol.part},
        **{"measure": measure.name, "unit": measure.unit},
        "num_seeds": sum(len(test.parts) for test in result.tests),
        "num_planned": len(result.row.jobs),
        "missing": "; ".join(
            f"{job.seed} {job.status}" for job in result.row.jobs if not job.is_finished
        ),
        **{
            "mean": _shown(measure, result.mean(measure)),
            "std": _shown(measure, result.std(measure)),
        },
        **_ends("interval", measure, result.interval),
        "reference": contrast.reference.name if contrast else None,
        "difference": _shown(measure, contrast.value if contrast else None),
        **_ends("difference", measure, contrast.interval if contrast else None),
        **{
            f"{other.key}_{name}": _shown(other, value)
            for other in comparison.kind.beside
            for name, value in (("mean", result.mean(other)), ("std", result.std(other)))
        },
        **_published(result, measure),
        "protocol": comparison.protocol.caption,
    }


def _slice_lines(outcome: Outcome) -> Iterable[dict[str, Any]]:
    """Yield a line a row, test and slice with its numbers, as shown in the tables; folds are one.

    The test of a single seed says which.
    """
    for comparison in outcome.comparisons:
        quantities = (comparison.kind.measure, *comparison.kind.beside)
        tests = [(result.row.name, test) for result in comparison.results for test in result.tests]
        for row, test in tests:
            described = {
                **{"row": row, "seed": None if test.folds else test.run.setting("config.seed")},
                **{name: test.summary[name] for name in ("tested_on", "part")},
            }
            for slicing in test.slicings:
                for part in test.summary["by"].get(slicing) or ():
                    yield {
                        **described,
                        **{"by": slicing, "slice": slice_name(part["slice"])},
                        **{count: part[count] for count in test.slice_counts},
                        **{q.key: _shown(q, part.get(q.key)) for q in quantities},
                    }


def _published(result: RowResult, measure: Quantity) -> dict[str, Any]:
    row, value = result.published, result.published_value(measure)
    return {
        "published_mean": value.mean if value else None,
        "published_std": value.std if value else None,
        "published_trainings": row.trainings if row else None,
        "published_source": row.source if row else None,
        "published_protocol": row.protocol.words if row else None,
        "published_differs_in": "; ".join(result.differs_in) if row else None,
    }


def _ends(name: str, quantity: Quantity, interval: Any) -> dict[str, float | None]:
    ends = {end: getattr(interval, end) if interval else None for end in ("low", "high")}
    return {f"{name}_{end}": _shown(quantity, value) for end, value in ends.items()}


def _shown(quantity: Quantity, value: float | None) -> float | None:
    return None if value is None else quantity.shown(value)
