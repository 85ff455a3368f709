"""What differs between runs that should share it to stand in one table."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

from common.config.plain import leaves
from common.report.kinds.model_test import ModelTest
from common.report.kinds.run_settings import Facts, data_facts, kept_settings, settings
from common.report.study.study import Study


@dataclass(frozen=True)
class Difference:
    """Something that should be one and is not: its values, with the runs of each."""

    what: str
    values: Mapping[str, Sequence[str]]


def run_differences(study: Study) -> list[Difference]:
    """Return what the study's finished runs do not share beside what its rows change.

    Data of one name must be the same data. Seeds of a row must share every setting; rows, those
    that their ablations do not change.
    """
    data = _differing((run.name, data_facts(run)) for run in study.runs)
    of_rows = [
        difference
        for row in study.rows
        for difference in _differing((run.name, settings(run)) for run in row.runs)
    ]
    known = {difference.what for difference in of_rows}
    across = _differing((run.name, kept_settings(run)) for run in study.runs)
    others = [difference for difference in across if difference.what not in known]
    return [*_twice(study), *data, *of_rows, *others]


def differences_of_tests(tests: Sequence[ModelTest]) -> list[Difference]:
    """Return in what the protocols of tests on the same data differ."""
    return _differing(
        (f"{test.run.name}/{test.folder}", asdict(test.protocol) | dict(leaves(test.test_settings)))
        for test in tests
    )


def _twice(study: Study) -> list[Difference]:
    found = []
    for row in study.rows:
        for seed in {job.seed for job in row.jobs}:
            names = [job.run.name for job in row.jobs if job.run and job.seed == seed]
            if len(names) > 1:
                values = {f"{number}. time": [name] for number, name in enumerate(names, start=1)}
                found.append(Difference(f"{row.name} with seed {seed}", values))
    return found


def _differing(named: Iterable[tuple[str, Facts]]) -> list[Difference]:
    values: dict[str, dict[str, list[str]]] = {}
    for name, facts in named:
        for key, value in facts.items():
            values.setdefault(key, {}).setdefault(str(value), []).append(name)
    return [Difference(key, found) for key, found in values.items() if len(found) > 1]
