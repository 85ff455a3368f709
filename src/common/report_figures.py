"""Figures of the report: errors of a test protocol's models, and learning curves."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from common.atomic import partial_path
from common.report_runs import NO_RUN, GazeTest, Run
from common.report_table import Protocol

BLUE, ORANGE, GREY, DARK = "#3366aa", "#cc6633", "#777777", "#222222"
# Narrow, so that a phone shows the letters at a readable size.
_WIDTH, _DPI = 6.4, 160


def save_error_bars(protocol: Protocol, tests: Sequence[GazeTest], path: Path) -> None:
    """Draw the mean error of every test, with its interval over subjects, and the baselines.

    Args:
        protocol: shared by the tests.
        tests: a bar each, the first on top.
        path: a .png file.
    """
    figure = Figure(figsize=(_WIDTH, 1.4 + 0.4 * len(tests)), layout="constrained")
    axis = figure.subplots()
    errors_deg = [test.summary["mean_deg"] for test in tests]
    axis.barh(range(len(tests)), errors_deg, color=BLUE, height=0.66)
    _draw_intervals(axis, tests)
    for place, error_deg in enumerate(errors_deg):
        where = axis.get_yaxis_transform()
        axis.text(1.02, place, f"{error_deg:.2f}", transform=where, va="center")
    for (name, error_deg), color in zip(protocol.baselines.items(), (GREY, ORANGE), strict=False):
        axis.axvline(error_deg, color=color, linestyle="--", label=f"{name}: {error_deg:.2f}")
    axis.set_yticks(range(len(tests)), [bar_name(test) for test in tests])
    axis.invert_yaxis()
    axis.set(xlabel="mean angular error [deg]", xlim=(0, None))
    _finish(figure, axis, path)


def save_learning_curves(runs: Sequence[Run], metric: str, path: Path) -> None:
    """Draw the metric of validation by epoch, a line a run; unfinished runs are dotted.

    Args:
        runs: with one `val_curve` metric on one data set and split.
        metric: its name.
        path: a .png file.
    """
    figure = Figure(figsize=(_WIDTH, 3.8 + 0.1 * len(runs)), layout="constrained")
    axis = figure.subplots()
    for run in runs:
        epochs = sorted(run.val_curve)
        axis.plot(
            [epoch + 1 for epoch in epochs],
            [run.val_curve[epoch] for epoch in epochs],
            linestyle="-" if run.status == "finished" else ":",
            marker="o" if len(epochs) < 25 else None,
            markersize=3,
            label=run_name(run),
        )
    axis.locator_params(axis="x", integer=True)
    axis.set(xlabel="epoch", ylabel=metric.replace("_deg", " [deg]"), ylim=(0, None))
    _finish(figure, axis, path)


def run_name(run: Run) -> str:
    """Return a short name: number, model, width, seed; and how it ended, if not well."""
    model, width, seed = (
        run.setting(f"config.{key}") for key in ("model.name", "model.width", "seed")
    )
    parts = [f"#{run.number} {model or run.name}"]
    parts += [f"width {width}"] * (width is not None) + [f"seed {seed}"] * (seed is not None)
    parts += [run.status] * (run.status not in ("finished", NO_RUN))
    return ", ".join(parts)


def bar_name(test: GazeTest) -> str:
    """Return a run's short name, with the training data if it was tested on others."""
    trained_on, tested_on = test.summary["trained_on"], test.summary["tested_on"]
    return run_name(test.run) + (f"\ntrained on {trained_on}" if trained_on != tested_on else "")


def _draw_intervals(axis: Axes, tests: Sequence[GazeTest]) -> None:
    for place, test in enumerate(tests):
        interval = test.summary["interval_over_subjects_deg"]
        if interval is not None:
            mean_deg = test.summary["mean_deg"]
            reach = [[mean_deg - interval["low"]], [interval["high"] - mean_deg]]
            axis.errorbar(mean_deg, place, xerr=reach, color=DARK, capsize=4, linewidth=1.4)


def _finish(figure: Figure, axis: Axes, path: Path) -> None:
    axis.spines[["top", "right"]].set_visible(False)
    if axis.get_legend_handles_labels()[0]:
        figure.legend(loc="outside lower center", ncols=2, frameon=False, fontsize=9)
    with partial_path(path) as partial:
        figure.savefig(partial, dpi=_DPI)
