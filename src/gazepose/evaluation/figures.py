"""Figures of a test: precision over recall, confusion, mAP by slice."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from common.evaluation.average_precision import Curve, checked, rank_lam, rank_not_lam
from common.evaluation.figures import BLUE, DARK, ORANGE, draw_slices
from common.files.atomic import partial_path

_SLICE_TITLES = {
    "sharpness": "by sharpness",
    "face_size": "by face size [px]",
    "head_yaw": "by head yaw to either side [deg]",
    "head_pitch": "by head pitch, up or down [deg]",
    "track_length": "by track length [frames]",
}
# Photos have no bars of their own: one rarely shows faces of both classes.
_CLIP_TITLES = {
    "clips": "by clip",
    "people": "by person",
    "people and photos": "by person or photo",
}
_RANKS = {"looks at the camera": rank_lam, "does not": rank_not_lam}
_CURVE_STYLES = {"looks at the camera": ("ap_lam", BLUE), "does not": ("ap_not_lam", ORANGE)}
_MAX_CLIPS = 60
_NAME_LENGTH = 9
_MEASURE = ("map", "interval_over_clips")


def save_score_figure(
    predictions: pl.DataFrame, summary: Mapping[str, Any], path: Path, title: str
) -> None:
    """Draw a test on one page: precision over recall, confusion, and mAP by slice.

    Bars show a slice's mAP and number of samples, whiskers its interval over clips, or over the
    people or photos that stand for them. A slice in which a class has no sample has no bar. Of many
    clips those with the most samples are shown.

    Args:
        predictions: labelled rows of `gazepose.evaluation.predictions.predictions_table`.
        summary: of `common.evaluation.score_slices.summarise`.
        path: a .png file.
        title: headline, followed by the mAP.
    """
    figure = Figure(figsize=(18, 9), layout="constrained")
    titles = _wide_titles(summary)
    axes = figure.subplot_mosaic(_layout(list(titles)))
    _draw_curves(axes["curve"], predictions, summary)
    _draw_confusion(axes["confusion"], summary["confusion"])
    for name, label in (_SLICE_TITLES | titles).items():
        slices = summary["by"][name]
        if name == "clip" and len(slices) > _MAX_CLIPS:
            label += f", the {_MAX_CLIPS} largest of {len(slices)}"
            slices = sorted(slices, key=lambda item: -item["num_samples"])[:_MAX_CLIPS]
        axes[name].set_title(label)
        names = [item["slice"][:_NAME_LENGTH] for item in slices]
        draw_slices(axes[name], slices, names, _MEASURE, summary["map"])
        axes[name].set(ylabel="mAP", ylim=(0, 1.15))
    figure.suptitle(f"{title}: {_headline(summary)}")
    with partial_path(path) as partial:
        figure.savefig(partial, dpi=100)


def decision_figure(predictions: pl.DataFrame, numbers: Mapping[str, Any]) -> Figure:
    """Return precision over recall beside the confusion matrix, for a dashboard.

    Args:
        predictions: labelled samples, columns ``score`` and ``label``.
        numbers: of `common.evaluation.scores.describe_scores`.
    """
    figure = Figure(figsize=(9, 4.2), dpi=80, layout="constrained")
    curve, confusion = figure.subplots(1, 2)
    _draw_curves(curve, predictions, numbers)
    _draw_confusion(confusion, numbers["confusion"])
    return figure


def precision_recall_curves(predictions: pl.DataFrame) -> dict[str, Curve]:
    """Return the curve of each class by what it is called; none of a class without samples.

    Args:
        predictions: labelled samples, columns ``score`` and ``label``.
    """
    samples = checked(predictions["score"].to_numpy(), predictions["label"].to_numpy())
    curves = {name: rank(*samples).curve() for name, rank in _RANKS.items()}
    return {name: curve for name, curve in curves.items() if curve is not None}


def _wide_titles(summary: Mapping[str, Any]) -> dict[str, str]:
    """Return the titles of the wide panels that a test has, by the kind of slice."""
    titles = {"clip": _CLIP_TITLES.get(summary["clips_are"]), "source": "by source"}
    return {kind: title for kind, title in titles.items() if title and kind in summary["by"]}


def _layout(wide: Sequence[str]) -> list[Any]:
    """Return the panels of a page in 20 columns."""
    above = ["curve"] * 5 + ["confusion"] * 5
    above += [kind for kind in wide for _ in range(10 // len(wide))] if wide else ["."] * 10
    return [above, [kind for kind in _SLICE_TITLES for _ in range(4)]]


def _headline(summary: Mapping[str, Any]) -> str:
    value = "not defined" if summary["map"] is None else f"{summary['map']:.3f}"
    text = f"mAP {value}, n = {summary['num_samples']}, {summary['num_positive']} positive"
    interval = summary["interval_over_clips"]
    if interval is None:
        return text
    over = f"95 % over {summary['clips_are']}"
    return f"{text}, {over} [{interval['low']:.3f}, {interval['high']:.3f}]"


def _draw_curves(axis: Axes, predictions: pl.DataFrame, summary: Mapping[str, Any]) -> None:
    for name, curve in precision_recall_curves(predictions).items():
        key, color = _CURVE_STYLES[name]
        label = f"{name}: AP {summary[key]:.3f}"
        axis.plot(curve.recall, curve.precision, color=color, linewidth=1.2, label=label)
    axis.set(xlim=(0, 1), ylim=(0, 1.02), xlabel="recall", ylabel="precision")
    axis.set_title("precision over recall")
    axis.legend(loc="lower left")


def _draw_confusion(axis: Axes, confusion: Sequence[Sequence[int]]) -> None:
    shares = [[count / max(1, sum(row)) for count in row] for row in confusion]
    axis.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for row, counts in enumerate(confusion):
        for column, count in enumerate(counts):
            share = shares[row][column]
            color = "white" if share > 0.5 else DARK
            text = f"{count}\n{100 * share:.1f} %"
            axis.text(column, row, text, ha="center", va="center", color=color)
    names = ["not looking", "looking"]
    axis.set_xticks([0, 1], names)
    axis.set_yticks([0, 1], names, rotation=90, va="center")
    axis.set(xlabel="said at score >= 0.5", ylabel="true", title="confusion")
