"""The kinds of tests that the report knows."""

from __future__ import annotations

from common.report.kinds.eye_contact import EYE_CONTACT
from common.report.kinds.gaze_angle import GAZE_ANGLE
from common.report.kinds.kind import ResultKind, Validation

# In the order of the report's sections.
KINDS: tuple[ResultKind, ...] = (GAZE_ANGLE, EYE_CONTACT)


def kind_named(name: object) -> ResultKind:
    """Return the kind that a summary names.

    Raises:
        ValueError: If no kind has that name.
    """
    for kind in KINDS:
        if kind.name == name:
            return kind
    expected = " or ".join(repr(kind.name) for kind in KINDS)
    raise ValueError(f"kind is {name!r}, expected {expected}; test again to renew it")


def kind_optimising(metric: str | None) -> ResultKind | None:
    """Return the kind whose measure a training optimised; None for another metric."""
    return next((kind for kind in KINDS if kind.measure.validation.metric == metric), None)


def validation_shown(metric: str) -> Validation:
    """Return how a metric of validation is shown; one of no kind under its own name."""
    kind = kind_optimising(metric)
    return kind.measure.validation if kind else Validation(metric, metric, f"last {metric}")
