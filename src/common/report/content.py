"""All that a report shows, found once: studies, the other tests by protocol, and runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from common.report.reading import Results, read_results
from common.report.run import Run
from common.report.study.comparison import Outcome, compare
from common.report.study.study import find_studies
from common.report.tables.formats import Table
from common.report.tables.groups import Group, group_by_protocol
from common.report.tables.runs import run_table, unfinished_table, unread_table


@dataclass(frozen=True)
class Report:
    """All that a report shows.

    Attributes:
        results: what was read.
        outcomes: of the studies.
        groups: the tests that stand in no study's table.
    """

    results: Results
    outcomes: Sequence[Outcome]
    groups: Sequence[Group]

    @property
    def tables(self) -> list[Table]:
        """Those beside the studies', in their order, without the empty ones."""
        lists = [table(self.results) for table in (unfinished_table, run_table, unread_table)]
        return [table for table in (*(group.table for group in self.groups), *lists) if table.rows]

    @property
    def slice_tables(self) -> list[Table]:
        """A table of slices for every protocol whose kind compares slices."""
        tables = [group.slice_table for group in self.groups]
        return [table for table in tables if table.rows]

    @property
    def other_runs(self) -> list[Run]:
        """The runs whose curves no study shows: all but the finished ones of its tables."""
        shown = {run.number for o in self.outcomes if o.comparisons for run in o.study.runs}
        return [run for run in self.results.runs if run.number not in shown]


def find_content(runs_dir: Path) -> Report:
    """Return what there is to report on a folder of runs.

    Raises:
        ValueError: If there is no run.
    """
    results = read_results(runs_dir)
    outcomes = [compare(study) for study in find_studies(results)]
    in_studies = {test.path for outcome in outcomes for test in outcome.tests}
    others = [test for test in results.tests if test.path not in in_studies]
    return Report(results, outcomes, group_by_protocol(others))
