"""Runs -> tables, figures and one page: ``python -m common.report RUNS_DIR``.

Reads what runs left behind and needs neither their code nor their data. Whatever has finished is
shown; whatever has not is listed with its status.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from common.files.atomic import write_text_atomically
from common.report.page import write_page
from common.report.reading import Results, read_results
from common.report.study.comparison import compare
from common.report.study.files import study_markdown, study_text, write_study_files
from common.report.study.study import find_studies
from common.report.tables.csv_file import as_csv
from common.report.tables.formats import as_latex, as_markdown, as_text
from common.report.tables.results import all_tables, group_by_protocol, result_table, slice_tables


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
    results = read_results(runs_dir)
    output_dir = output_dir or runs_dir / "report"
    outcomes = [compare(study) for study in find_studies(results)]
    in_studies = frozenset(test.path for outcome in outcomes for test in outcome.tests)
    results = replace(results, in_studies=in_studies)
    tables = all_tables(results)
    shown = [*tables, *slice_tables(results)]
    texts = [*map(study_markdown, outcomes), *map(as_markdown, shown)]
    write_text_atomically(output_dir / "table.md", "\n".join(texts))
    write_text_atomically(output_dir / "table.csv", as_csv(results.tests))
    write_text_atomically(output_dir / "table.tex", _latex(results))
    write_study_files(outcomes, output_dir / "studies")
    page_path = write_page(results, outcomes, output_dir)
    return "\n".join([*map(study_text, outcomes), *map(as_text, tables), f"-> {page_path}\n"])


def main(arguments: Sequence[str] | None = None) -> None:
    """Report on a folder of runs."""
    parser = argparse.ArgumentParser(prog="python -m common.report", description=__doc__)
    parser.add_argument("runs_dir", type=Path, metavar="RUNS_DIR", help="folder of runs")
    parser.add_argument("--output", type=Path, metavar="DIR", help="default: RUNS_DIR/report")
    given = parser.parse_args(arguments)
    sys.stdout.write(write_report(given.runs_dir, given.output))


def _latex(results: Results) -> str:
    groups = group_by_protocol(results.listed_tests).items()
    tables = (as_latex(result_table(protocol, tests)) for protocol, tests in groups)
    return "\n".join(["% needs \\usepackage{booktabs}", *tables])


if __name__ == "__main__":
    main()
