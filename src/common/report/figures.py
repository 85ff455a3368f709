"""Figures of the report: a test protocol's models, all in all and by slice, and learning curves."""

import math
from collections.abc import Sequence
from pathlib import Path
from textwrap import fill
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from common.files.atomic import partial_path
from common.report.kinds.model_test import ModelTest, TestProtocol
from common.report.kinds.registry import validation_shown
from common.report.run import Run
from common.report.tables.results import name_of_run, name_of_test
from common.report.tables.slices import SlicedMeasure, sliced_measures

BLUE, DARK, RED = "#3366aa", "#222222", "#bb2244"
BASELINE_COLORS = ("#777777", "#cc6633", "#338855")
# Narrow, so that a phone shows the letters at a readable size.
WIDTH, _DPI = 6.4, 160
_LABEL_WIDTH = 34  # characters
_NO_BREAK = "\u00a0"
_TICK_LINE = 40  # characters below a panel
_LINE_HEIGHT = 0.17  # of a label
_PANELS_A_ROW = 2
_MARKERS = "os^Dvx"


def save_bars(protocol: TestProtocol, tests: Sequence[ModelTest], path: Path) -> None:
    """Draw the measure of every test, with its interval, and the baselines.

    Args:
        protocol: shared by the tests.
        tests: a bar each, the first on top.
        path: a .png file.
    """
    measure = tests[0].measure
    names = [wrapped(name_of_test(test, tests)) for test in tests]
    max_lines = max(1 + name.count("\n") for name in names)
    height = max(0.4, _LINE_HEIGHT * (max_lines + 0.35))
    figure = Figure(figsize=(WIDTH, 1.4 + height * len(tests)), layout="constrained")
    axis = figure.subplots()
    values = [test.value for test in tests]
    axis.barh(
        range(len(tests)), [measure.shown(value) for value in values], color=BLUE, height=0.66
    )
    _draw_intervals(axis, tests)
    for place, value in enumerate(values):
        where = axis.get_yaxis_transform()
        axis.text(1.02, place, measure.text(value), transform=where, va="center")
    lines = zip(protocol.baselines.items(), BASELINE_COLORS, strict=False)
    for (name, value), color in lines:
        label = f"{name}: {measure.text(value)}"
        axis.axvline(measure.shown(value), color=color, linestyle="--", label=label)
    axis.set_yticks(range(len(tests)), names)
    axis.invert_yaxis()
    axis.set(xlabel=measure.label, xlim=(0, None))
    finish(figure, [axis], path)


def save_slices(tests: Sequence[ModelTest], path: Path) -> None:
    """Draw the measure of every test by slice, a panel a slicing and a line a test.

    Args:
        tests: of one protocol, with one slicing at least.
        path: a .png file.
    """
    slicings = sliced_measures(tests)
    num_rows = math.ceil(len(slicings) / _PANELS_A_ROW)
    height = 2.6 * num_rows + _LINE_HEIGHT * len(tests)
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    axes = [*figure.subplots(num_rows, _PANELS_A_ROW, sharey=True, squeeze=False).flat]
    for axis, sliced in zip(axes, slicings, strict=False):
        _draw_slices(axis, sliced, tests)
    for axis in axes[len(slicings) :]:
        axis.set_axis_off()
    for axis in axes[::_PANELS_A_ROW]:
        axis.set(ylabel=tests[0].measure.label)
    finish(figure, axes, path)


def save_learning_curves(runs: Sequence[Run], metric: str, path: Path) -> None:
    """Draw the metric of validation by epoch, a line a run; unfinished runs are dotted.

    Args:
        runs: with one `val_curve` metric on one data set and split.
        metric: its name.
        path: a .png file.
    """
    shown = validation_shown(metric)
    figure = Figure(figsize=(WIDTH, 3.8 + 0.1 * len(runs)), layout="constrained")
    axis = figure.subplots()
    for run in runs:
        epochs = sorted(run.val_curve)
        axis.plot(
            [epoch + 1 for epoch in epochs],
            [run.val_curve[epoch] * shown.factor for epoch in epochs],
            linestyle="-" if run.status == "finished" else ":",
            marker="o" if len(epochs) < 25 else None,
            markersize=3,
            label=wrapped(name_of_run(run, runs)),
        )
    axis.locator_params(axis="x", integer=True)
    axis.set(xlabel="epoch", ylabel=shown.axis)
    if shown.is_from_zero:
        axis.set_ylim(0, None)
    finish(figure, [axis], path)


def _draw_intervals(axis: Axes, tests: Sequence[ModelTest]) -> None:
    measure = tests[0].measure
    for place, test in enumerate(tests):
        if test.interval is not None:
            value, low, high = (
                measure.shown(number)
                for number in (test.value, test.interval["low"], test.interval["high"])
            )
            # A bootstrap interval of a mAP need not hold the mAP of the whole.
            reach = [[max(value - low, 0)], [max(high - value, 0)]]
            axis.errorbar(value, place, xerr=reach, color=DARK, capsize=4, linewidth=1.4)


def _draw_slices(axis: Axes, sliced: SlicedMeasure, tests: Sequence[ModelTest]) -> None:
    measure = tests[0].measure
    for place, (test, values) in enumerate(zip(tests, sliced.values, strict=True)):
        # Ten colours, then the same with another marker.
        marker = _MARKERS[place // 10 % len(_MARKERS)]
        axis.plot(
            [measure.shown(value) for value in values],
            marker=marker,
            markersize=3.5,
            linewidth=1.2,
            label=wrapped(name_of_test(test, tests).replace("\n", ", "), 2 * _LABEL_WIDTH),
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


def wrapped(name: str, width: int = _LABEL_WIDTH) -> str:
    """Break a name into lines, if possible not between a setting and its value."""
    kept = name.replace(" ", _NO_BREAK).replace("," + _NO_BREAK, ", ")
    lines = (fill(line, width, break_long_words=False) for line in kept.split("\n"))
    return "\n".join(lines).replace(_NO_BREAK, " ")


def finish(figure: Figure, axes: Sequence[Axes], path: Path) -> None:
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
