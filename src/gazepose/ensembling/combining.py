"""Several runs' scores of the same samples -> one score, with files as of a test."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from gazepose.ensembling.members import NAMES, Members, check_fit, find_predictions, read_members
from gazepose.ensembling.stacking import cross_fitted, fit_predict
from gazepose.evaluation.files import write_results

MEAN, XGBOOST = "mean", "xgboost"


def combine(members: Members, method: str, fitted_on: Members | None = None) -> pl.DataFrame:
    """Return the samples with one score from those of all runs.

    Args:
        members: the scored samples.
        method: ``mean`` or ``xgboost``.
        fitted_on: labelled predictions of the same runs in the same order, which ``xgboost`` learns
            from; None to learn from `members` themselves, by `cross_fitted`.

    Raises:
        ValueError: If the method is unknown, or as `check_fit` and `fit_predict`.
    """
    if method == MEAN:
        return members.with_scores(members.scores.mean(axis=1))
    if method != XGBOOST:
        raise ValueError(f"method is {method!r}, expected {MEAN!r} or {XGBOOST!r}")
    source = members if fitted_on is None else fitted_on
    if not source.has_labels:
        raise ValueError(
            f"{source.paths[0]} has no sample with a label to learn from: give --fit with a run, "
            "or a file of labelled predictions, for each run, in the same order"
        )
    labels = source.samples["label"].to_numpy()
    if fitted_on is None:
        clips = source.samples["uid"].to_numpy()
        return members.with_scores(cross_fitted(members.scores, labels, clips))
    check_fit(fitted_on, members)
    return members.with_scores(fit_predict(source.scores, labels, members.scores))


def write_ensemble(
    runs: Sequence[Path],
    method: str,
    output_dir: Path,
    part: str | None,
    fit_part: str,
    fit: Sequence[Path] | None = None,
) -> Path:
    """Combine the predictions of runs and write them as a test's.

    Args:
        runs: two or more folders of runs, or files of predictions.
        method: ``mean`` or ``xgboost``.
        output_dir: the files go to a folder in its ``predict``, where the report looks.
        part: which part's predictions; of any if None.
        fit_part: which part's predictions ``xgboost`` learns from, if those have no labels.
        fit: what ``xgboost`` learns from instead: a run or file for each, in the same order.

    Returns:
        The folder of the files, named for method, data, part, stride and smoothing.

    Raises:
        ValueError: If there are fewer than two runs, `fit` is for nothing, or as `combine`,
            `read_members` and `find_predictions`.
    """
    if len(runs) < 2:
        raise ValueError(f"got {len(runs)} runs, expected two or more")
    if fit and method != XGBOOST:
        raise ValueError(f"--method {method} learns nothing: leave out --fit, or type xgboost")
    members = read_members([find_predictions(run, part) for run in runs])
    fitted_on = None
    if method == XGBOOST and (fit or not members.has_labels):
        fitted_on = read_members([find_predictions(run, fit_part) for run in fit or runs])
    described = _described(members, method)
    folder = output_dir / "predict" / _folder_name(described, method)
    write_results(
        combine(members, method, fitted_on), described, folder, f"{method}_of_{len(runs)}"
    )
    return folder


def _described(members: Members, method: str) -> dict[str, Any]:
    models, trained_on, tested_on = (
        [str(one[name]) for one in members.described] for name in NAMES
    )
    notes = dict.fromkeys(one["note"] for one in members.described if "note" in one)
    return {
        "model": f"{method} of {', '.join(models)}",
        "trained_on": "+".join(sorted(set(trained_on))),
        "tested_on": tested_on[0],
        "part": members.samples["part"][0],
        "stride": members.protocol["stride"],
        "protocol": members.protocol,
        **({"note": "; ".join(notes)} if notes else {}),
    }


def _folder_name(described: dict[str, Any], method: str) -> str:
    """Return a name that other data, part, stride or smoothing do not have."""
    words = [method, described["tested_on"], described["part"], f"stride-{described['stride']}"]
    smoothing = described["protocol"]["smoothing"]
    if smoothing is not None:
        words.append(smoothing.replace(",", "").replace(" ", "-"))
    return "_".join(words)
