"""Figures of a test: predicted against true angles, and errors by slice."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from common.atomic import partial_path

BLUE, ORANGE, GREY = "#3366aa", "#cc6633", "#888888"
_SLICE_TITLES = {
    "subject": "by subject",
    "head_yaw": "by head yaw [deg]",
    "yaw_t": "by gaze yaw [deg]",
    "pitch_t": "by gaze pitch [deg]",
}


def save_error_figure(
    results: pl.DataFrame, summary: Mapping[str, Any], path: Path, title: str
) -> None:
    """Draw a test on one page of six panels.

    Args:
        results: one row a prediction (`flame.results.results_table`).
        summary: of `flame.results.summarise`.
        path: a .png file.
        title: headline, followed by the mean error.
    """
    figure = Figure(figsize=(13, 7.5), layout="constrained")
    axes = figure.subplots(2, 3).ravel()
    _draw_angles(axes[0], results, "yaw", BLUE)
    _draw_angles(axes[1], results, "pitch", ORANGE)
    for axis, (name, label) in zip(axes[2:], _SLICE_TITLES.items(), strict=True):
        _draw_slices(axis, summary["by"][name], summary["mean_deg"], label)
    figure.suptitle(f"{title}: {_headline(summary)}")
    with partial_path(path) as partial:
        figure.savefig(partial, dpi=110)


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


def _draw_slices(axis: Axes, slices: list[Mapping[str, Any]], mean_deg: float, label: str) -> None:
    names = [_name(item["slice"]) for item in slices]
    places = range(len(names))
    bars = axis.bar(places, [item["mean_deg"] for item in slices], color=BLUE, width=0.7)
    axis.set_xticks(places, names)
    axis.bar_label(bars, [str(item["num_samples"]) for item in slices], fontsize=7, color=GREY)
    axis.axhline(mean_deg, color=GREY, linewidth=1)
    axis.set(title=label, ylabel="mean error [deg]")
    axis.tick_params(axis="x", labelsize=8, rotation=45 if len(names) > 10 else 0)


def _name(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
