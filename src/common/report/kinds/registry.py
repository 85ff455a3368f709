"""The kinds of tests that the report knows."""

from common.report.kinds.eye_contact import EyeContactTest
from common.report.kinds.gaze_angle import GazeAngleTest
from common.report.kinds.measure import Validation
from common.report.kinds.model_test import ModelTest

# In the order of the report's sections.
KINDS: tuple[type[ModelTest], ...] = (GazeAngleTest, EyeContactTest)


def kind_named(name: object) -> type[ModelTest]:
    """Return the kind that a summary names.

    Raises:
        ValueError: If no kind has that name.
    """
    for kind in KINDS:
        if kind.kind_name == name:
            return kind
    expected = " or ".join(repr(kind.kind_name) for kind in KINDS)
    raise ValueError(f"kind is {name!r}, expected {expected}; test again to renew it")


def kind_optimising(metric: str | None) -> type[ModelTest] | None:
    """Return the kind whose measure a training optimised; None for another metric."""
    return next((kind for kind in KINDS if kind.measure.validation.metric == metric), None)


def validation_shown(metric: str) -> Validation:
    """Return how a metric of validation is shown; one of no kind under its own name."""
    kind = kind_optimising(metric)
    return kind.measure.validation if kind else Validation(metric, metric, f"last {metric}")
