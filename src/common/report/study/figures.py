"""A study's bars: a row each, with its seeds."""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes

from common.evaluation.figures import DARK
from common.report.figures import bar_figure, draw_interval, finish
from common.report.study.comparison import Comparison, RowResult

_RED = "#bb2244"
_SEED_SPREAD = 0.3  # of a bar, over which its seeds' dots lie


def save_study_bars(comparison: Comparison, path: Path) -> None:
    """Draw every row's mean with its interval, its seeds as dots, and comparable published means.

    Args:
        comparison: a row a bar, the first on top; rows without a value keep their place.
        path: a .png file.
    """
    results, measure = comparison.results, comparison.kind.measure
    means = [result.mean(measure) for result in results]
    texts = ["missing" if mean is None else measure.text(mean) for mean in means]
    titles = [result.row.title for result in results]
    baselines = comparison.protocol.baselines
    figure, axis = bar_figure(titles, means, texts, measure, baselines)
    for place, result in enumerate(results):
        _draw_row(axis, place, result, comparison)
    finish(figure, [axis], path)


def _draw_row(axis: Axes, place: int, result: RowResult, comparison: Comparison) -> None:
    measure = comparison.kind.measure
    label = _once(axis, "95 % interval")
    draw_interval(axis, place, result.mean(measure), result.interval, measure, label=label)
    values = [measure.shown(value) for value in result.values(measure)]
    spread = _SEED_SPREAD if len(values) > 1 else 0.0
    heights = place + np.linspace(-spread, spread, len(values))
    label = _once(axis, "a seed")
    axis.scatter(values, heights, s=16, color="white", edgecolor=DARK, zorder=3, label=label)
    published = result.published_value(measure)
    if result.is_comparable and published:
        label = _once(axis, "published")
        axis.plot(published.mean, place, "|", color=_RED, ms=14, mew=2, zorder=4, label=label)


def _once(axis: Axes, label: str) -> str:
    """Return a label that the legend does not have yet, or one that it leaves out."""
    return "_" if label in axis.get_legend_handles_labels()[1] else label
