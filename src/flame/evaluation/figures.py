"""Figures of a test: predicted against true angles, and errors by slice."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from common.evaluation.figures import BLUE, GREY, ORANGE, draw_slices
from common.files.atomic import partial_path
from common.listing import slice_name

_SLICE_TITLES = {
    "subject": "by subject",
    "head_yaw": "by head yaw [deg]",
    "head_pitch": "by head pitch, + down [deg]",
    "yaw_t": "by gaze yaw [deg]",
    "pitch_t": "by gaze pitch, + up [deg]",
}
_MEASURE = ("mean_deg", "interval_over_subjects_deg")
# Data sets have dozens of subjects.
_LAYOUT: list[Any] = [
    ["yaw", "pitch", "subject", "subject"],
    ["head_yaw", "head_pitch", "yaw_t", "pitch_t"],
]


def save_error_figure(
    results: pl.DataFrame, summary: Mapping[str, Any], path: Path, title: str
) -> None:
    """Draw a test on one page: predicted against true angles, and the error by slice.

    Bars show a slice's mean error and number of samples, whiskers its interval over subjects.

    Args:
        results: one row a prediction (`flame.evaluation.callback.results_table`).
        summary: of `flame.evaluation.callback.summarise`.
        path: a .png file.
        title: headline, followed by the mean error.
    """
    figure = Figure(figsize=(16, 8), layout="constrained")
    axes = figure.subplot_mosaic(_LAYOUT)
    _draw_angles(axes["yaw"], results, "yaw", BLUE)
    _draw_angles(axes["pitch"], results, "pitch", ORANGE)
    for name, label in _SLICE_TITLES.items():
        axes[name].set_title(label)
        slices, max_upright = summary["by"][name], 24 if name == "subject" else 12
        names = [slice_name(item["slice"]) for item in slices]
        draw_slices(axes[name], slices, names, _MEASURE, summary["mean_deg"], max_upright)
        axes[name].set_ylabel("mean error [deg]")
    figure.suptitle(f"{title}: {_headline(summary)}")
    with partial_path(path) as partial:
        figure.savefig(partial, dpi=110)


def save_calibration_figure(table: pl.DataFrame, path: Path, title: str) -> None:
    """Draw error, and difference to no calibration, by number of samples.

    A thin line is a person; whiskers are the mean's interval over subjects.

    Args:
        table: of a `flame.evaluation.calibrated_errors.CalibratedTest`.
        path: a .png file.
        title: headline.
    """
    figure = Figure(figsize=(12, 5), layout="constrained")
    error, difference = figure.subplots(1, 2)
    _draw_calibration(error, table, "")
    error.set(ylim=(0, None), ylabel="mean error [deg]")
    _draw_calibration(difference, table, "to_uncalibrated_")
    difference.axhline(0, color=GREY, linewidth=1, zorder=0)
    difference.set_ylabel("mean error less that without calibration [deg]")
    figure.suptitle(title)
    with partial_path(path) as partial:
        figure.savefig(partial, dpi=110)


def _draw_calibration(axis: Axes, table: pl.DataFrame, prefix: str) -> None:
    of_all, *of_each = table.partition_by("subject", maintain_order=True)
    mean, low, high = (f"{prefix}{name}_deg" for name in ("mean", "subjects_low", "subjects_high"))
    for rows in of_each:
        axis.plot(rows["samples"], rows[mean], color=GREY, linewidth=0.7, alpha=0.5)
    samples = of_all["samples"]
    axis.plot(samples, of_all[mean], color=BLUE, linewidth=2.5)
    axis.vlines(samples, of_all[low], of_all[high], color=BLUE)
    axis.set(xticks=samples, xlabel="samples of each person")


def _headline(summary: Mapping[str, Any]) -> str:
    mean = f"{summary['mean_deg']:.2f} deg, n = {summary['num_samples']}"
    interval = summary["interval_over_subjects_deg"]
    if interval is None:
        return mean
    return f"{mean}, 95 % over subjects [{interval['low']:.2f}, {interval['high']:.2f}]"


def _draw_angles(axis: Axes, results: pl.DataFrame, name: str, color: str) -> None:
    true, predicted = results[f"{name}_t"], results[f"{name}_p"]
    axis.scatter(true, predicted, s=9, alpha=0.4, color=color, edgecolors="none")
    values = [*true, *predicted]
    limits = (min(values) - 1, max(values) + 1)
    axis.plot(limits, limits, color=GREY, linewidth=1)
    axis.set(xlim=limits, ylim=limits, aspect="equal")
    axis.set(xlabel=f"true {name} [deg]", ylabel=f"predicted {name} [deg]")
