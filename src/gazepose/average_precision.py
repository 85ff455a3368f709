"""The official average precision of "Looking At Me", with a rule for tied scores.

Ego4D's evaluation is that of AVA ActiveSpeaker: precision and recall after every row in descending
order of score, the area under the monotone envelope of that curve, and the mean over two classes:
LAM with (label, score), not-LAM with (1 - label, 1 - score).

**Ties.** The official tool sorts tied rows in an order that depends on numpy and the processor, so
its number does too. Here rows of one score enter the curve together, since no threshold tells them
apart. The result depends on neither the order of the rows nor the machine; without ties it is the
official number, with ties the least that any order of the tied rows gives. A constant score has a
mean of exactly 0.5.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Float = npt.NDArray[np.floating[Any]]
Ints = npt.NDArray[np.integer[Any]]


@dataclass(frozen=True)
class Curve:
    """Precision and recall at every distinct score, from the highest score down; each (K,)."""

    precision: Float
    recall: Float

    @property
    def area(self) -> float:
        """The area under the monotone envelope."""
        return area_under_envelope(self.precision, self.recall)


@dataclass(frozen=True)
class LamPrecision:
    """Average precision of both classes, in [0, 1]; nan for a class without samples."""

    lam: float
    not_lam: float

    @property
    def mean(self) -> float:
        """The official mAP; nan if either class has no samples."""
        return (self.lam + self.not_lam) / 2


class Ranking:
    """Samples in descending order of score, ties grouped; sorted once for many weightings.

    Args:
        scores: (N,) finite scores of the class.
        is_positive: (N,) whether a sample is of the class.
    """

    def __init__(self, scores: Float, is_positive: npt.NDArray[np.bool_]) -> None:
        assert len(scores) == len(is_positive)
        self._order = np.argsort(-scores, kind="stable")
        ordered = scores[self._order]
        self._is_positive = is_positive[self._order].astype(np.float64)
        # The last sample of each group of ties.
        self._ends = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], len(ordered) > 0))

    def curve(self, weights: Float | None = None) -> Curve | None:
        """Return the curve, or None if no positive has weight.

        Args:
            weights: (N,) how often each sample counts, in the order given to the constructor;
                once if None.
        """
        ones = np.ones(len(self._order))
        weight = ones if weights is None else weights[self._order].astype(np.float64)
        num_true = np.cumsum(weight * self._is_positive)[self._ends]
        num_taken = np.cumsum(weight)[self._ends]
        if not len(num_true) or num_true[-1] == 0:
            return None
        # A group that comes first with weight 0 has no precision, and no recall either.
        precision = np.divide(num_true, num_taken, out=np.zeros_like(num_true), where=num_taken > 0)
        return Curve(precision, num_true / num_true[-1])

    def average_precision(self, weights: Float | None = None) -> float:
        """Return the area of the curve; nan if no positive has weight."""
        curve = self.curve(weights)
        return float("nan") if curve is None else curve.area


def area_under_envelope(precision: Float, recall: Float) -> float:
    """Return the area under the least non-increasing curve above the given points.

    Each step of recall counts with the highest precision at this or any later point (PASCAL VOC
    2010). No point gives 0.0.

    Args:
        precision: (K,) in [0, 1].
        recall: (K,) in [0, 1], not decreasing.

    Raises:
        ValueError: If the lengths differ, or recall decreases or is nan.
    """
    precision = np.asarray(precision, dtype=np.float64)
    recall = np.asarray(recall, dtype=np.float64)
    if precision.shape != recall.shape or precision.ndim != 1:
        raise ValueError(
            f"got precision {precision.shape} and recall {recall.shape}, expected two equal (K,)"
        )
    steps = np.diff(recall, prepend=0.0)
    if not (steps >= 0).all():
        raise ValueError("recall decreases or is nan, expected a non-decreasing array")
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float((steps * envelope).sum())


def average_precision(scores: Float, labels: Ints) -> float:
    """Return the average precision of the class with label 1; nan if no label is 1.

    Args:
        scores: (N,) finite, higher means more likely of the class.
        labels: (N,) 1 of the class, 0 not.

    Raises:
        ValueError: If lengths differ, a score is not finite, or a label is neither 0 nor 1.
    """
    return rank_lam(*checked(scores, labels)).average_precision()


def lam_precision(scores: Float, labels: Ints) -> LamPrecision:
    """Return the average precision of both classes.

    The not-LAM class is ranked by -score. That is the order of the official 1 - score, but keeps
    apart scores below 1e-16, which 1 - score ties.

    Args:
        scores: (N,) finite, of looking at the camera.
        labels: (N,) 1 looks at the camera, 0 not.

    Raises:
        ValueError: As `average_precision`.
    """
    scores, labels = checked(scores, labels)
    return LamPrecision(
        lam=rank_lam(scores, labels).average_precision(),
        not_lam=rank_not_lam(scores, labels).average_precision(),
    )


def rank_lam(scores: Float, labels: Ints) -> Ranking:
    """Return the ranking of the LAM class; arguments as returned by `checked`."""
    return Ranking(scores, labels == 1)


def rank_not_lam(scores: Float, labels: Ints) -> Ranking:
    """Return the ranking of the not-LAM class; arguments as returned by `checked`."""
    return Ranking(-scores, labels == 0)


def checked(scores: Float, labels: Ints) -> tuple[Float, Ints]:
    """Return scores as float64 and labels as int64, both (N,).

    Raises:
        ValueError: If lengths differ, a score is not finite, or a label is neither 0 nor 1.
    """
    scores, labels = np.asarray(scores, dtype=np.float64), np.asarray(labels)
    if scores.shape != labels.shape or scores.ndim != 1:
        raise ValueError(
            f"got scores {scores.shape} and labels {labels.shape}, expected two equal (N,)"
        )
    bad = np.flatnonzero(~np.isfinite(scores))
    if len(bad):
        raise ValueError(
            f"{len(bad)} of {len(scores)} scores are not finite, the first is "
            f"scores[{bad[0]}] = {scores[bad[0]]}"
        )
    unknown = np.flatnonzero((labels != 0) & (labels != 1))
    if len(unknown):
        raise ValueError(f"labels[{unknown[0]}] = {labels[unknown[0]]}, expected 0 or 1")
    return scores, labels.astype(np.int64)
