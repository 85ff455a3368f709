"""Runs -> tables, figures and one page: ``python -m common.report RUNS_DIR``.

Reads what runs left behind and needs neither their code nor their data. Whatever has finished is
shown; whatever has not is listed with its status.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from common.files.atomic import remove_leftovers, write_text_atomically
from common.report.content import find_content
from common.report.page import write_page
from common.report.study.files import study_markdown, study_text, write_study_files
from common.report.tables.csv_file import as_csv
from common.report.tables.formats import as_latex, as_markdown, as_text


def write_report(runs_dir: Path, output_dir: Path | None = None) -> str:
    """Write table.md, table.csv, table.tex, studies/, index.html and images/.

    Tests that stand in a study's table are not listed again by protocol.

    Args:
        runs_dir: holds runs, at any depth.
        output_dir: ``RUNS_DIR/report`` if None.

    Returns:
        The tables as text, and where the page lies.

    Raises:
        ValueError: If there is no run.
    """
    report = find_content(runs_dir)
    output_dir = output_dir or runs_dir / "report"
    for name in ("", "images", "studies"):
        remove_leftovers(output_dir / name)
    shown = [*report.tables, *report.slice_tables]
    texts = [*map(study_markdown, report.outcomes), *map(as_markdown, shown)]
    latex = ["% needs \\usepackage{booktabs}", *(as_latex(group.table) for group in report.groups)]
    write_text_atomically(output_dir / "table.md", "\n".join(texts))
    write_text_atomically(output_dir / "table.csv", as_csv(report.results.tests))
    write_text_atomically(output_dir / "table.tex", "\n".join(latex))
    write_study_files(report.outcomes, output_dir / "studies")
    page = write_page(report, output_dir)
    return "\n".join(
        [*map(study_text, report.outcomes), *map(as_text, report.tables), f"-> {page}\n"]
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Report on a folder of runs."""
    parser = argparse.ArgumentParser(prog="python -m common.report", description=__doc__)
    parser.add_argument("runs_dir", type=Path, metavar="RUNS_DIR", help="folder of runs")
    parser.add_argument("--output", type=Path, metavar="DIR", help="default: RUNS_DIR/report")
    given = parser.parse_args(arguments)
    sys.stdout.write(write_report(given.runs_dir, given.output))
