"""What figures of tests share: colours, whiskers of intervals, bars of slices."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes

BLUE, ORANGE, GREY, DARK = "#3366aa", "#cc6633", "#666666", "#222222"


def whisker(value: float, low: float, high: float) -> tuple[float, float]:
    """Return how far an interval reaches below and above a value.

    A bootstrap interval of an mAP need not hold the mAP of the whole.
    """
    return max(0.0, value - low), max(0.0, high - value)


def draw_slices(
    axis: Axes,
    slices: Sequence[Mapping[str, Any]],
    names: Sequence[str],
    measure: tuple[str, str],
    overall: float | None,
    max_upright: int = 12,
) -> None:
    """Draw a bar a slice under its number of samples, with the whisker of its interval.

    Args:
        axis: to draw on.
        slices: with ``num_samples`` and the measure; no bar where that is None.
        names: of the slices.
        measure: entries of a slice's measure and its interval.
        overall: the measure of all samples, a line.
        max_upright: of more slices the names are turned.
    """
    values = [0.0 if item[measure[0]] is None else item[measure[0]] for item in slices]
    reach = [_reach(item, *measure) for item in slices]
    places, turn = range(len(slices)), 90 if len(slices) > max_upright else 0
    bars = axis.bar(
        places,
        values,
        yerr=[*zip(*reach, strict=True)],
        color=BLUE,
        error_kw={"ecolor": DARK, "elinewidth": 0.9},
    )
    counts = [str(item["num_samples"]) for item in slices]
    axis.bar_label(bars, counts, fontsize=7, color=GREY, rotation=turn, padding=2)
    axis.set_xticks(places, names, rotation=turn, fontsize=8)
    if overall is not None:
        axis.axhline(overall, color=GREY, linewidth=1)
    axis.margins(x=0.02, y=0.12 if turn else 0.07)


def _reach(item: Mapping[str, Any], key: str, interval_key: str) -> tuple[float, float]:
    value, interval = item[key], item[interval_key]
    if value is None or interval is None:
        return 0.0, 0.0
    return whisker(value, interval["low"], interval["high"])
