"""A study's figures: a bar a row with its seeds, and curves of validation with their spread."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from common.report.figures import BASELINE_COLORS, BLUE, DARK, RED, WIDTH, finish, wrapped
from common.report.kinds.registry import validation_shown
from common.report.run import Run
from common.report.study.beside import differing_conditions, published_beside, value_of
from common.report.study.comparison import Comparison, RowResult
from common.report.study.study import StudyRow

_BAR_HEIGHT = 0.52  # inches
_SEED_SPREAD = 0.3  # of a bar, over which its seeds' dots lie


def save_study_bars(comparison: Comparison, path: Path) -> None:
    """Draw every row's mean with its interval, its seeds as dots, and comparable published means.

    Args:
        comparison: a row a bar, the first on top; rows without a value keep their place.
        path: a .png file.
    """
    results, measure = comparison.results, comparison.kind.measure
    figure = Figure(figsize=(WIDTH, 1.4 + _BAR_HEIGHT * len(results)), layout="constrained")
    axis = figure.subplots()
    means = [result.mean(measure) for result in results]
    axis.barh(range(len(results)), [measure.shown(mean) for mean in means], color=BLUE, height=0.62)
    for place, (result, mean) in enumerate(zip(results, means, strict=True)):
        _draw_row(axis, place, result, comparison)
        text = measure.text(mean) if mean is not None else "missing"
        axis.text(1.02, place, text, transform=axis.get_yaxis_transform(), va="center")
    for (name, value), color in zip(
        comparison.protocol.baselines.items(), BASELINE_COLORS, strict=False
    ):
        axis.axvline(measure.shown(value), color=color, linestyle="--", label=name)
    axis.set_yticks(range(len(results)), [wrapped(result.row.title) for result in results])
    axis.set_ylim(len(results) - 0.5, -0.5)
    axis.set(xlabel=measure.label, xlim=(0, None))
    finish(figure, [axis], path)


def save_study_curves(rows: Sequence[StudyRow], metric: str, path: Path) -> None:
    """Draw the metric of validation by epoch: mean over seeds, and +- their standard deviation.

    Args:
        rows: with a finished run each that has a curve.
        metric: its name.
        path: a .png file.
    """
    shown = validation_shown(metric)
    figure = Figure(figsize=(WIDTH, 3.8 + 0.1 * len(rows)), layout="constrained")
    axis = figure.subplots()
    for row in rows:
        _draw_curve(axis, row.title, row.runs, shown.factor)
    axis.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axis.set(xlabel="epoch", ylabel=shown.axis)
    if shown.is_from_zero:
        axis.set_ylim(0, None)
    finish(figure, [axis], path)


def _draw_row(axis: Axes, place: int, result: RowResult, comparison: Comparison) -> None:
    measure = comparison.kind.measure
    values = [measure.shown(value) for value in result.values(measure)]
    if result.interval is not None:
        mean = float(np.mean(values))
        ends = (measure.shown(result.interval.low), measure.shown(result.interval.high))
        # A bootstrap interval of a mAP need not hold the mAP of the whole.
        reach = [[max(mean - ends[0], 0)], [max(ends[1] - mean, 0)]]
        label = _once(axis, "95 % interval")
        axis.errorbar(mean, place, xerr=reach, color=DARK, capsize=4, linewidth=1.4, label=label)
    offsets = np.linspace(-_SEED_SPREAD, _SEED_SPREAD, len(values)) if len(values) > 1 else [0.0]
    dots = {"s": 16, "color": "white", "edgecolor": DARK, "linewidth": 0.8, "zorder": 3}
    heights = [place + offset for offset in offsets][: len(values)]
    axis.scatter(values, heights, label=_once(axis, "a seed"), **dots)  # type: ignore[arg-type]
    row = published_beside(comparison, result)
    value = value_of(row, measure)
    if row and value and not differing_conditions(comparison, row):
        label = _once(axis, "published")
        axis.scatter(value.mean, place, marker="|", color=RED, s=200, lw=2, zorder=4, label=label)


def _draw_curve(axis: Axes, title: str, runs: Sequence[Run], factor: float) -> None:
    curves = [run.val_curve for run in runs if run.val_curve]
    # Epochs that all seeds have, so that the mean is over the same seeds everywhere.
    epochs = sorted(set.intersection(*(set(curve) for curve in curves)))
    values = np.array([[curve[epoch] * factor for epoch in epochs] for curve in curves])
    times, mean = [epoch + 1 for epoch in epochs], values.mean(axis=0)
    marker = "o" if len(epochs) < 25 else None
    (line,) = axis.plot(times, mean, marker=marker, markersize=3, label=wrapped(title))
    if len(curves) > 1:
        std = values.std(axis=0, ddof=1)
        axis.fill_between(times, mean - std, mean + std, color=line.get_color(), alpha=0.15, lw=0)
        if len(times) == 1:  # a band of one epoch has no width
            axis.errorbar(times, mean, yerr=std, color=line.get_color(), capsize=4)


def _once(axis: Axes, label: str) -> str:
    """Return a label that the legend does not have yet, or one that it leaves out."""
    return "_" if label in axis.get_legend_handles_labels()[1] else label
