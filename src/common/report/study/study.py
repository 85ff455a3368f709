"""Which runs make up a study, and which of them are missing."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from common.report.kinds.model_test import ModelTest
from common.report.reading import Results
from common.report.run import Run


@dataclass(frozen=True)
class Job:
    """One training of a study; `run` is None if it was never started."""

    seed: int
    run: Run | None
    tests: tuple[ModelTest, ...]

    @property
    def status(self) -> str:
        """Of the run, or ``missing``."""
        return self.run.status if self.run else "missing"

    @property
    def is_finished(self) -> bool:
        """Whether its tests count."""
        return self.status == "finished"


@dataclass(frozen=True)
class StudyRow:
    """A setting of a study, by the name of its ablation, with a job a seed."""

    name: str
    title: str
    jobs: tuple[Job, ...]

    @property
    def runs(self) -> list[Run]:
        """Those that finished."""
        return [job.run for job in self.jobs if job.run and job.is_finished]

    @property
    def trained_on(self) -> str | None:
        """Name of the training data; None before any run finished."""
        return next((str(run.setting("config.data.name")) for run in self.runs), None)

    @property
    def is_reference(self) -> bool:
        """Whether it is the setting that the others are compared with."""
        return any(run.setting("config.is_reference") for run in self.runs)


@dataclass(frozen=True)
class Study:
    """A study as its runs describe it.

    Attributes:
        name: of its file in ``conf/sweeps``.
        title: in words.
        folder: which holds its runs.
        published: table of `common.report.published` that belongs beside it.
        rows: in the study's order, also those without a run.
    """

    name: str
    title: str
    folder: Path
    published: str | None
    rows: tuple[StudyRow, ...]

    @property
    def runs(self) -> list[Run]:
        """Those that finished, row by row."""
        return [run for row in self.rows for run in row.runs]

    @property
    def progress(self) -> str:
        """How far it is, e.g. ``7 of 8 runs finished``."""
        jobs = [job for row in self.rows for job in row.jobs]
        return f"{sum(job.is_finished for job in jobs)} of {len(jobs)} runs finished"


def find_studies(results: Results) -> list[Study]:
    """Return the studies that runs belong to, by the folder that holds their runs.

    Every run carries the list of rows and seeds of its study; where these lists differ, because a
    study grew, the latest counts, and rows that only others know come last.
    """
    groups: dict[tuple[Path, str], list[Run]] = {}
    for run in results.runs:
        if run.setting("config.study"):
            key = run.folder.parent, str(run.setting("config.study.name"))
            groups.setdefault(key, []).append(run)
    return [_study(folder, runs, results) for (folder, _), runs in sorted(groups.items())]


def _study(folder: Path, runs: Sequence[Run], results: Results) -> Study:
    plans = [run.setting("config.study") for run in reversed(runs)]
    titles = {name: title for plan in reversed(plans) for name, title in plan["rows"].items()}
    unplanned = [_ablation(run) for run in runs]
    plan = plans[0]
    rows = tuple(
        StudyRow(name, str(titles.get(name, name)), _jobs(name, plan["seeds"], runs, results))
        for name in dict.fromkeys([*(name for one in plans for name in one["rows"]), *unplanned])
    )
    return Study(plan["name"], plan["title"], folder, plan.get("published"), rows)


def _jobs(
    row: str, planned_seeds: Sequence[int], runs: Sequence[Run], results: Results
) -> tuple[Job, ...]:
    """Return a job a seed, and more of one that several runs have."""
    by_seed: dict[int, list[Run | None]] = {seed: [] for seed in planned_seeds}
    for run in runs:
        if _ablation(run) == row:
            by_seed.setdefault(run.setting("config.seed"), []).append(run)
    return tuple(
        Job(seed, run, tuple(test for test in results.tests if run and test.run is run))
        for seed in sorted(by_seed)
        for run in (by_seed[seed] or [None])
    )


def _ablation(run: Run) -> str:
    return str(run.setting("config.ablation"))
