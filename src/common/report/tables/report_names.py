"""What runs and tests are called in figures."""

from __future__ import annotations

from collections.abc import Sequence

from common.report.kinds.registry import kind_optimising
from common.report.run import NO_RUN, ModelTest, Run


def name_of_run(run: Run, runs: Sequence[Run]) -> str:
    """Return a short name: number, model, what sets it apart, seed; how it ended, if not well.

    Args:
        run: the run.
        runs: those it is shown with.
    """
    kind = kind_optimising(run.metric)
    if kind is None:
        return _name(run, [])
    own, others = kind.settings(run, {}), [kind.settings(other, {}) for other in runs]
    return _name(run, [*kind.main_texts(own), *kind.other_texts(own, others)])


def name_of_test(test: ModelTest, tests: Sequence[ModelTest]) -> str:
    """Return the run's short name, with the training data if it was tested on others.

    Args:
        test: the test.
        tests: those it is shown with.
    """
    own, others = test.settings, [other.settings for other in tests]
    name = _name(test.run, [*test.kind.main_texts(own), *test.kind.other_texts(own, others)])
    trained_on, tested_on = test.summary["trained_on"], test.summary["tested_on"]
    return name + (f"\ntrained on {trained_on}" if trained_on != tested_on else "")


def _name(run: Run, settings: Sequence[str]) -> str:
    seed = run.setting("config.seed")
    parts = [f"#{run.number} {run.setting('config.model.name') or run.name}", *settings]
    parts += [f"seed {seed}"] * (seed is not None)
    parts += [run.status] * (run.status not in ("finished", NO_RUN))
    return ", ".join(parts)
