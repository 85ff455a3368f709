"""Average precision by brute force: the official rule in plain Python, one row at a time."""

from collections.abc import Sequence


def row_wise_precision(labels: Sequence[int]) -> float:
    """Area under the monotone envelope of precision over recall, after every row of a ranking."""
    num_positive, num_true, points = sum(labels), 0, []
    for num_taken, label in enumerate(labels, start=1):
        num_true += label
        points.append((num_true / num_taken, num_true / num_positive))
    area, last_recall = 0.0, 0.0
    for place, (_, recall) in enumerate(points):
        area += (recall - last_recall) * max(precision for precision, _ in points[place:])
        last_recall = recall
    return area


def ranked(scores: Sequence[float], labels: Sequence[int], tied_positives: str) -> list[int]:
    """Labels by descending score, the positives of a tie ``first`` or ``last`` in it."""
    sign = -1 if tied_positives == "first" else 1
    pairs = sorted(zip(scores, labels, strict=True), key=lambda pair: (-pair[0], sign * pair[1]))
    return [label for _, label in pairs]


def bounds(scores: Sequence[float], labels: Sequence[int]) -> tuple[float, float]:
    """The least and the greatest value that any order of tied rows gives."""
    worst, best = (
        row_wise_precision(ranked(scores, labels, tied_positives=place))
        for place in ("last", "first")
    )
    return worst, best


def mean_precision(scores: Sequence[float], labels: Sequence[int]) -> float:
    """mAP over both classes; tied rows in their worst order."""
    opposite = [-score for score in scores], [1 - label for label in labels]
    return (bounds(scores, labels)[0] + bounds(*opposite)[0]) / 2
