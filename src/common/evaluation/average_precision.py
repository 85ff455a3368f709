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

from dataclasses import dataclass

import numpy as np

from common.arrays import Bools, Float, Ints

_MAX_CELLS_AT_ONCE = 1 << 21


@dataclass(frozen=True)
class Curve:
    """Precision and recall at every distinct score, from the highest score down; each (K,)."""

    precision: Float
    recall: Float


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

    def __init__(self, scores: Float, is_positive: Bools) -> None:
        assert len(scores) == len(is_positive)
        self._order = np.argsort(-scores, kind="stable")
        self._is_positive = is_positive[self._order]
        self._starts = _group_starts(scores[self._order])

    def curve(self) -> Curve | None:
        """Return the curve with a point at every distinct score, or None without a positive."""
        if not self._is_positive.any():
            return None
        num_true = np.cumsum(np.add.reduceat(self._is_positive.astype(np.int64), self._starts))
        num_taken = np.append(self._starts[1:], len(self._order))
        return Curve(num_true / num_taken, num_true / num_true[-1])

    def average_precision(self) -> float:
        """Return the area under the curve's envelope; nan without a positive."""
        curve = self.curve()
        return float("nan") if curve is None else area_under_envelope(curve.precision, curve.recall)

    def average_precisions(self, groups: Ints, times: Ints) -> Float:
        """Return the average precision where every sample counts as often as its group.

        Args:
            groups: (N,) group of each sample, from 0 on, in the order given to the constructor.
            times: (R, G) how often each group counts, in R weightings.

        Returns:
            (R,); nan where no positive counts.
        """
        starts = _corner_starts(self._starts, self._is_positive)
        if not len(starts):
            return np.full(len(times), np.nan)
        step = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, len(self._order))))
        cell = groups[self._order] * len(starts) + step
        num_cells = times.shape[1] * len(starts)
        taken, true = (
            np.bincount(cell, weights, num_cells).reshape(times.shape[1], -1)
            for weights in (None, self._is_positive)
        )
        rows_at_once = max(1, _MAX_CELLS_AT_ONCE // len(starts))
        weightings = times.astype(np.float64)
        return np.concatenate(
            [
                _areas(part @ taken, part @ true)
                for part in np.array_split(weightings, -(-len(times) // rows_at_once))
            ]
        )


def area_under_envelope(precision: Float, recall: Float) -> float:
    """Return the area under the least non-increasing curve above the given points.

    Each step of recall counts with the highest precision at this or any later point (PASCAL VOC
    2010). No point gives 0.0.

    Both are (K,) in [0, 1]; recall does not decrease.
    """
    steps = np.diff(recall, prepend=0.0)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float((steps * envelope).sum())


def lam_precision(scores: Float, labels: Ints) -> LamPrecision:
    """Return the average precision of both classes, of finite scores (N,) and labels (N,), 1 or 0.

    The not-LAM class is ranked by -score. That is the order of the official 1 - score, but keeps
    apart scores below 1e-16, which 1 - score ties.

    Raises:
        ValueError: As `checked`.
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


def _group_starts(ordered_scores: Float) -> Ints:
    """Return where each group of tied samples begins."""
    is_start = np.append(True, ordered_scores[1:] != ordered_scores[:-1])
    return np.flatnonzero(is_start[: len(ordered_scores)])


def _corner_starts(starts: Ints, is_positive: Bools) -> Ints:
    """Return where groups begin that must be told apart to know the area under the envelope.

    Along groups of positives only, precision rises, so the envelope is that of their end; along
    groups of negatives only, recall stands still. Either run counts as one step.
    """
    if not len(starts):
        return starts
    sizes = np.diff(np.append(starts, len(is_positive)))
    num_positive = np.add.reduceat(is_positive.astype(np.int64), starts)
    is_pure = (num_positive == 0) | (num_positive == sizes)
    goes_on = is_pure[1:] & is_pure[:-1] & ((num_positive[1:] > 0) == (num_positive[:-1] > 0))
    corners: Ints = starts[np.append(True, ~goes_on)]
    return corners


def _areas(num_taken: Float, num_true: Float) -> Float:
    """Return the areas (R,) under envelopes from what each step of a curve adds (R, K)."""
    taken, true = np.cumsum(num_taken, axis=1), np.cumsum(num_true, axis=1)
    # Steps that come first with weight 0 have no precision, and no recall either.
    precision = np.divide(true, taken, out=np.zeros_like(true), where=taken > 0)
    envelope = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    total, areas = true[:, -1], np.full(len(true), np.nan)
    return np.divide((num_true * envelope).sum(axis=1), total, out=areas, where=total > 0)
