"""Figures of the report: models all in all and by slice, and learning curves."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import fill
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from common.evaluation.figures import BLUE, DARK, whisker
from common.evaluation.resampling import Interval
from common.files.atomic import partial_path
from common.report.kinds.measure import Measure
from common.report.kinds.registry import validation_shown
from common.report.study.comparison import Comparison, RowResult
from common.report.tables.groups import Group, SlicedMeasure

_BASELINE_COLORS = ("#777777", "#cc6633", "#338855")
# Narrow, so that a phone shows the letters at a readable size.
_WIDTH, _DPI = 6.4, 160
_LABEL_WIDTH = 34  # characters
_NO_BREAK = "\u00a0"
_TICK_LINE = 40  # characters below a panel
_LINE_HEIGHT = 0.17  # of a label
_PANELS_A_ROW = 2
_MARKERS = "os^Dvx"
_RED = "#bb2244"
_SEED_SPREAD = 0.3  # of a bar, over which its seeds' dots lie


def save_group_bars(group: Group, path: Path) -> None:
    """Draw the measure of every test, with its interval, and the baselines, to a .png file."""
    measure, values = group.kind.measure, [test.value for test in group.tests]
    texts = [measure.text(value) for value in values]
    figure, axis = _bar_figure(group.names, values, texts, measure, group.protocol.baselines)
    for place, test in enumerate(group.tests):
        _draw_interval(axis, place, test.value, test.interval, measure)
    _finish(figure, [axis], path)


def save_study_bars(comparison: Comparison, path: Path) -> None:
    """Draw each row's mean with its interval, its seeds as dots, and comparable published means."""
    results, measure = comparison.results, comparison.kind.measure
    means = [result.mean(measure) for result in results]
    texts = ["missing" if mean is None else measure.text(mean) for mean in means]
    titles = [result.row.title for result in results]
    baselines = comparison.protocol.baselines
    figure, axis = _bar_figure(titles, means, texts, measure, baselines)
    for place, result in enumerate(results):
        _draw_row(axis, place, result, comparison)
    _finish(figure, [axis], path)


def save_slices(group: Group, path: Path) -> None:
    """Draw the measure of tests by slice, a panel a slicing, of which there is one at least."""
    slicings = group.slicings
    num_rows = math.ceil(len(slicings) / _PANELS_A_ROW)
    height = 2.6 * num_rows + _LINE_HEIGHT * len(group.tests)
    figure = Figure(figsize=(_WIDTH, height), layout="constrained")
    axes = [*figure.subplots(num_rows, _PANELS_A_ROW, sharey=True, squeeze=False).flat]
    for axis, sliced in zip(axes, slicings, strict=False):
        _draw_slices(axis, sliced, group)
    for axis in axes[len(slicings) :]:
        axis.set_axis_off()
    for axis in axes[::_PANELS_A_ROW]:
        axis.set(ylabel=group.kind.measure.label)
    _finish(figure, axes, path)


@dataclass(frozen=True)
class Line:
    """Learning curves that are drawn as one line, their mean.

    Attributes:
        label: in the legend.
        curves: the metric of validation by epoch, from 0.
        is_dotted: as those of unfinished runs.
    """

    label: str
    curves: Sequence[Mapping[int, float]]
    is_dotted: bool = False


def save_curves(lines: Sequence[Line], metric: str, path: Path) -> None:
    """Draw a metric of validation by epoch, to a .png file; a band shows +- standard deviation."""
    shown = validation_shown(metric)
    figure = Figure(figsize=(_WIDTH, 3.8 + 0.1 * len(lines)), layout="constrained")
    axis = figure.subplots()
    for line in lines:
        _draw_line(axis, line, shown.factor)
    axis.locator_params(axis="x", integer=True, min_n_ticks=1)
    axis.set(xlabel="epoch", ylabel=shown.axis)
    if shown.is_from_zero:
        axis.set_ylim(0, None)
    _finish(figure, [axis], path)


def _bar_figure(
    names: Sequence[str],
    values: Sequence[float | None],
    texts: Sequence[str],
    measure: Measure,
    baselines: Mapping[str, float],
) -> tuple[Figure, Axes]:
    """Return a figure with a bar a value, as stored, the first on top, and a line a baseline.

    A bar without a value keeps its place; texts stand beside the bars.
    """
    labels = [_wrapped(name) for name in names]
    height = _LINE_HEIGHT * max(2.35, *(label.count("\n") + 1.35 for label in labels))
    figure = Figure(figsize=(_WIDTH, 1.4 + height * len(names)), layout="constrained")
    axis = figure.subplots()
    places = range(len(names))
    axis.barh(places, [measure.shown(value) for value in values], color=BLUE, height=0.66)
    for place, text in zip(places, texts, strict=True):
        axis.text(1.02, place, text, transform=axis.get_yaxis_transform(), va="center")
    for (name, value), color in zip(baselines.items(), _BASELINE_COLORS, strict=False):
        label = f"{name}: {measure.text(value)}"
        axis.axvline(measure.shown(value), color=color, linestyle="--", label=label)
    axis.set_yticks(places, labels)
    axis.set_ylim(len(names) - 0.5, -0.5)
    axis.set(xlabel=measure.label, xlim=(0, None))
    return figure, axis


def _draw_interval(
    axis: Axes,
    place: int,
    value: float | None,
    interval: Interval | None,
    measure: Measure,
    **style: Any,
) -> None:
    """Draw the interval of a bar, if it has one; values as stored."""
    if interval is not None:
        shown, low, high = map(measure.shown, (value, interval.low, interval.high))
        reach = [[end] for end in whisker(shown, low, high)]
        axis.errorbar(shown, place, xerr=reach, color=DARK, capsize=4, linewidth=1.4, **style)


def _draw_row(axis: Axes, place: int, result: RowResult, comparison: Comparison) -> None:
    measure = comparison.kind.measure
    label = _once(axis, "95 % interval")
    _draw_interval(axis, place, result.mean(measure), result.interval, measure, label=label)
    values = [measure.shown(value) for value in result.values(measure)]
    # A single one is the bar itself: of one seed, or of folds as one.
    if len(values) > 1:
        heights = place + np.linspace(-_SEED_SPREAD, _SEED_SPREAD, len(values))
        label = _once(axis, "a seed")
        axis.scatter(values, heights, s=16, color="white", edgecolor=DARK, zorder=3, label=label)
    published = result.published_value(measure)
    if result.is_comparable and published:
        label = _once(axis, "published")
        axis.plot(published.mean, place, "|", color=_RED, ms=14, mew=2, zorder=4, label=label)


def _once(axis: Axes, label: str) -> str:
    """Return a label that the legend does not have yet, or one that it leaves out."""
    return "_" if label in axis.get_legend_handles_labels()[1] else label


def _draw_slices(axis: Axes, sliced: SlicedMeasure, group: Group) -> None:
    for place, (name, values) in enumerate(zip(group.names, sliced.values, strict=True)):
        axis.plot(
            [group.kind.measure.shown(value) for value in values],
            # Ten colours, then the same with another marker.
            marker=_MARKERS[place // 10 % len(_MARKERS)],
            markersize=3.5,
            linewidth=1.2,
            label=_wrapped(name.replace("\n", ", "), 2 * _LABEL_WIDTH),
        )
    counts = [next(iter(count.values())) for count in sliced.counts]
    ticks = [
        f"{fill(name, _TICK_LINE // len(counts))}\n({count})"
        for name, count in zip(sliced.slices, counts, strict=True)
    ]
    axis.set_xticks(range(len(ticks)), ticks, fontsize=8)
    axis.set_xlim(-0.4, len(ticks) - 0.6)
    axis.set_title(f"by {sliced.title}", fontsize=10)
    axis.grid(axis="y", color="#eeeeee")


def _draw_line(axis: Axes, line: Line, factor: float) -> None:
    # Epochs that all curves have, so that the mean is over the same everywhere.
    epochs = sorted(set.intersection(*map(set, line.curves)))
    values = np.array([[curve[epoch] * factor for epoch in epochs] for curve in line.curves])
    times, mean = [epoch + 1 for epoch in epochs], values.mean(axis=0)
    (drawn,) = axis.plot(
        times,
        mean,
        linestyle=":" if line.is_dotted else "-",
        marker="o" if len(epochs) < 25 else None,
        markersize=3,
        label=_wrapped(line.label),
    )
    if len(values) > 1:
        std = values.std(axis=0, ddof=1)
        axis.fill_between(times, mean - std, mean + std, color=drawn.get_color(), alpha=0.15, lw=0)
        if len(times) == 1:  # a band of one epoch has no width
            axis.errorbar(times, mean, yerr=std, color=drawn.get_color(), capsize=4)


def _wrapped(name: str, width: int = _LABEL_WIDTH) -> str:
    """Break a name into lines, if possible not between a setting and its value."""
    kept = name.replace(" ", _NO_BREAK).replace("," + _NO_BREAK, ", ")
    lines = (fill(line, width, break_long_words=False) for line in kept.split("\n"))
    return "\n".join(lines).replace(_NO_BREAK, " ")


def _finish(figure: Figure, axes: Sequence[Axes], path: Path) -> None:
    """Add the legend of the first of the axes below them, and save the figure."""
    for axis in axes:
        axis.spines[["top", "right"]].set_visible(False)
    handles, labels = axes[0].get_legend_handles_labels()
    if labels:
        # Long names do not fit beside each other.
        lengths = [len(line) for label in labels for line in label.split("\n")]
        ncols = 2 if max(lengths) <= _LABEL_WIDTH else 1
        style: dict[str, Any] = {"ncols": ncols, "frameon": False, "fontsize": 9}
        figure.legend(handles, labels, loc="outside lower center", **style)
    with partial_path(path) as partial:
        figure.savefig(partial, dpi=_DPI)
