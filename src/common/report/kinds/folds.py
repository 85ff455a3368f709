"""Tests that are folds of the data, as one test of all of it."""

from collections.abc import Sequence

from common.report.kinds.model_test import ModelTest


def pooled(tests: Sequence[ModelTest]) -> Sequence[ModelTest]:
    """Return the folds of a row as one test, others as they are; none before all are there."""
    folds = {test.summary["fold"]["number"]: test for test in tests if test.summary.get("fold")}
    if not folds:
        return tests
    of = {test.summary["fold"]["of"] for test in folds.values()}
    if len(folds) < len(tests) or of != {len(folds)}:
        return []
    found = tuple(folds[number] for number in sorted(folds))
    kind, first, summary = type(tests[0]), tests[0], tests[0].pooled_summary(found)
    return [] if summary is None else [kind(first.run, first.path, summary, folds=found)]
