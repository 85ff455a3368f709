"""From which score on a face counts as looking: chosen on validation, and what it gives."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from common.arrays import Array, Float, Ints
from common.evaluation.resampling import Samples, cluster_interval
from common.evaluation.scores import confusion_matrix, defined
from gazepose.evaluation.metrics import undefined_reason

RuleName = Literal["f1", "precision"]
Counts = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ThresholdRule:
    """How a threshold is chosen among all that tell any two scores apart.

    Attributes:
        rule: ``f1``: the greatest F1 of looking. ``precision``: the greatest recall at no less than
            the given precision.
        precision: of the rule ``precision``, in (0, 1].

    Raises:
        ValueError: If the rule is unknown or the precision out of range.
    """

    rule: RuleName = "f1"
    precision: float = 0.9

    def __post_init__(self) -> None:
        if self.rule not in get_args(RuleName):
            raise ValueError(
                f"threshold.rule is {self.rule!r}, expected one of {get_args(RuleName)}"
            )
        if not 0 < self.precision <= 1:
            raise ValueError(
                f"threshold.precision is {self.precision}, expected a share above 0, up to 1"
            )

    @property
    def description(self) -> str:
        """In words, for tables."""
        return "greatest F1" if self.rule == "f1" else f"precision of at least {self.precision:g}"

    def __call__(self, scores: Float, labels: Ints) -> float | None:
        """Return the threshold of scores (N,) in [0, 1] and labels (N,), 1 or 0.

        It lies midway between two neighbouring scores (below the lowest one: midway to 0), so that
        equal scores are decided alike. Of equally good ones it is the highest.

        Returns:
            None if scores are not finite, a class has no sample, or no threshold has the precision.
        """
        if undefined_reason(scores, labels):
            return None
        # The lowest score of those that are said to look, from the highest on.
        lowest = np.unique(scores)[::-1]
        num_said, num_right = (
            len(some) - np.searchsorted(np.sort(some), lowest)
            for some in (scores, scores[labels == 1])
        )
        f1 = 2 * num_right / (num_said + num_right[-1])
        has_precision = num_right / num_said >= self.precision
        worth = f1 if self.rule == "f1" else np.where(has_precision, num_right, 0)
        best = int(worth.argmax())
        if not worth[best]:
            return None
        below = lowest[best + 1] if best + 1 < len(lowest) else 0.0
        middle = float((lowest[best] + below) / 2)
        # Of neighbouring floats the middle is one of them.
        return middle if middle > below else float(lowest[best])


@dataclass(frozen=True)
class Threshold:
    """A threshold that was chosen; a checkpoint has the one of its validation.

    Attributes:
        value: score from which a face counts as looking.
        rule: how it was chosen, in words.
    """

    value: float
    rule: str


def decision_numbers(scores: Float, labels: Ints, clips: Array, threshold: float) -> dict[str, Any]:
    """Return how decisions at a threshold agree with the truth, labels (N,) 1 or 0.

    Returns:
        ``precision``, ``recall`` and ``f1`` of looking, Cohen's ``kappa``, ``accuracy``; None for
        what is not defined. ``confusion``: [[tn, fp], [fn, tp]]. ``f1_interval_over_clips`` and
        ``kappa_interval_over_clips``: low and high end of the 95 % bootstrap interval, or None.
    """
    confusion = np.array(confusion_matrix(scores, labels, threshold))
    (_, fp), (fn, tp) = confusion
    cells = 2 * labels + (scores >= threshold)
    return {
        "precision": defined(float(_ratio(tp, tp + fp))),
        "recall": defined(float(_ratio(tp, tp + fn))),
        "f1": defined(float(_f1(confusion))),
        "kappa": defined(float(_kappa(confusion))),
        "accuracy": float(np.trace(confusion) / len(scores)),
        "confusion": confusion.tolist(),
        "f1_interval_over_clips": _interval(_f1, cells, clips),
        "kappa_interval_over_clips": _interval(_kappa, cells, clips),
    }


def _f1(confusion: Counts) -> Counts:
    """Return F1 of looking (...) of confusion matrices (..., 2, 2), nan where nobody looks."""
    wrong = confusion[..., 0, 1] + confusion[..., 1, 0]
    twice_right = 2 * confusion[..., 1, 1]
    return _ratio(twice_right, twice_right + wrong)


def _kappa(confusion: Counts) -> Counts:
    """Return Cohen's kappa (...) of confusion matrices (..., 2, 2), nan where all is one class.

    J. Cohen, A coefficient of agreement for nominal scales, 1960: the agreement beyond what truth
    and decisions would have by chance, as a share of the most there could be.
    """
    num = confusion.sum((-2, -1))
    agreed = np.trace(confusion, axis1=-2, axis2=-1)
    by_chance = _ratio((confusion.sum(-1) * confusion.sum(-2)).sum(-1), num)
    return _ratio(agreed - by_chance, num - by_chance)


def _interval(
    measure: Callable[[Counts], Counts], cells: Ints, clips: Array
) -> dict[str, float] | None:
    """Return the interval of a measure of confusion matrices; `cells` are places in one, 0 to 3."""
    names, numbers = np.unique(clips, return_inverse=True)
    counts = np.bincount(4 * numbers + cells, minlength=4 * len(names)).reshape(-1, 4)
    samples = Samples(tuple(names), lambda times: measure((times @ counts).reshape(-1, 2, 2)))
    interval = cluster_interval(samples)
    return None if interval is None else asdict(interval)


def _ratio(part: Any, whole: Any) -> Counts:
    part, whole = np.asarray(part, np.float64), np.asarray(whole, np.float64)
    return np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole != 0)
