"""The files of a test: official csv files, numbers, slices, figure; or a submission."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from common.evaluation.result_files import headline
from common.evaluation.score_slices import slice_table, summarise
from common.evaluation.scores import BASELINE_NAMES, THRESHOLD
from common.files.atomic import partial_path
from common.files.sealed import write_json
from gazepose.evaluation.event_agreement import event_numbers
from gazepose.evaluation.figures import save_score_figure
from gazepose.evaluation.predictions import PREDICTIONS_SUFFIX, write_predictions
from gazepose.evaluation.threshold import Threshold, decision_numbers
from gazepose.submission.check import validate_submission
from gazepose.submission.official_csv import (
    PREDICTION_COLUMNS,
    TEST_COLUMNS,
    TRUTH_COLUMNS,
    check_scores,
    write_rows,
)
from gazepose.submission.writing import expected_samples, write_submission

LOG = logging.getLogger(__name__)


def write_results(
    predictions: pl.DataFrame,
    described: Mapping[str, Any],
    output_dir: Path,
    stem: str,
    store_dir: Path | None = None,
    threshold: Threshold | None = None,
    fps_hz: float | None = None,
) -> dict[str, Any]:
    """Write everything about the predictions of a test.

    ``STEM_predictions.parquet``: all columns, what `gazepose.ensembling.combining` reads, and
    `described`. Where labels are known: ``STEM_pred.csv`` and ``STEM_gt.csv`` in the official form,
    ``STEM.json``, ``STEM_slices.csv`` and ``STEM.png``.
    Where none is known: ``STEM_pred.csv``, in the test set's form if the samples have its ids, and
    then ``evalai/STEM.json`` for submission, checked against what the tested store holds.

    Returns:
        What ``STEM.json`` holds; nothing where no label is known.

    Raises:
        ValueError: If a score is no number, as `check_scores`.
    """
    check_scores(predictions)
    write_predictions(predictions, described, output_dir / f"{stem}{PREDICTIONS_SUFFIX}")
    known = predictions.filter(pl.col("label") >= 0)
    if known.is_empty():
        _write_unlabelled(predictions, output_dir, stem)
        if _is_challenge(predictions):
            submission = output_dir / "evalai" / f"{stem}.json"
            _write_submission(predictions, submission, store_dir, described.get("stride"))
        return {}
    if known.height < predictions.height:
        LOG.warning(
            "%d of %d samples have no known label: they are in %s%s only",
            *(predictions.height - known.height, predictions.height, stem, PREDICTIONS_SUFFIX),
        )
    decisions = decided(known, described, threshold, fps_hz)
    return _write_labelled(known, {**described, **decisions}, output_dir, stem)


def decided(
    predictions: pl.DataFrame,
    described: Mapping[str, Any],
    threshold: Threshold | None,
    fps_hz: float | None,
) -> dict[str, Any]:
    """Return ``at_threshold``, numbers of decisions at the chosen threshold, and of ``events``.

    ``threshold``: without a chosen one `THRESHOLD`, and ``rule`` and ``chosen_on`` are None.
    ``is_chosen_here``: it was chosen on the tested samples, which flatters the numbers.
    Arguments are as of `write_results`; predictions are labelled.
    """
    value = THRESHOLD if threshold is None else threshold.value
    scores, labels, clips = (predictions[name].to_numpy() for name in ("score", "label", "uid"))
    is_own_data = described["tested_on"] == described["trained_on"]
    numbers = {
        "threshold": value,
        "rule": None if threshold is None else threshold.rule,
        "chosen_on": None if threshold is None else f"{described['trained_on']}, val part",
        "is_chosen_here": threshold is not None and is_own_data and described["part"] == "val",
        **decision_numbers(scores, labels, clips, value),
    }
    events = event_numbers(predictions, value, described["stride"], fps_hz)
    return {"at_threshold": numbers, "events": events}


def summary_line(stem: str, summary: Mapping[str, Any]) -> str:
    """Return a test's mAP beside those of the baselines, of what ``STEM.json`` holds."""
    measured = f"mAP {_shown(summary['map'])}"
    if "map_raw" in summary:
        measured += f" (before smoothing {_shown(summary['map_raw'])})"
    return f"{headline(stem, measured, summary, BASELINE_NAMES, 4)}; {_decisions_line(summary)}"


def _decisions_line(summary: Mapping[str, Any]) -> str:
    """Return F1 and kappa, and where the threshold comes from."""
    at = summary["at_threshold"]
    of_rule = f"{at['rule']} on {at['chosen_on']}" if at["rule"] else "none was chosen"
    here = ", these very samples" if at["is_chosen_here"] else ""
    numbers = f"F1 {_shown(at['f1'])}, kappa {_shown(at['kappa'])}"
    return f"{numbers} at threshold {at['threshold']:.4f} ({of_rule}{here})"


def _shown(value: float | None) -> str:
    return "not defined" if value is None else f"{value:.4f}"


def _write_labelled(
    predictions: pl.DataFrame, described: Mapping[str, Any], output_dir: Path, stem: str
) -> dict[str, Any]:
    summary = summarise(predictions)
    if summary["map"] is None:
        LOG.warning("mAP is not defined: all %d samples are of one class", predictions.height)
    write_rows(predictions, PREDICTION_COLUMNS, output_dir / f"{stem}_pred.csv")
    write_rows(predictions, TRUTH_COLUMNS, output_dir / f"{stem}_gt.csv")
    with partial_path(output_dir / f"{stem}_slices.csv") as partial:
        slice_table(summary["by"]).write_csv(partial)
    numbers = {"kind": "eye_contact_test", "unit": "mAP", **described, **summary}
    write_json(output_dir / f"{stem}.json", numbers)
    LOG.info("%s", summary_line(stem, numbers))
    save_score_figure(predictions, summary, output_dir / f"{stem}.png", title=stem)
    return numbers


def _write_unlabelled(predictions: pl.DataFrame, output_dir: Path, stem: str) -> None:
    path = output_dir / f"{stem}_pred.csv"
    columns = TEST_COLUMNS if _is_challenge(predictions) else PREDICTION_COLUMNS
    write_rows(predictions, columns, path)
    LOG.warning(
        "no label is known, so there are no metrics: %d scores only -> %s", predictions.height, path
    )


def _is_challenge(predictions: pl.DataFrame) -> bool:
    """Return whether all samples have ids of the challenge's test set."""
    return bool((predictions["unique_id"].fill_null("") != "").all())


def _write_submission(
    predictions: pl.DataFrame, path: Path, store_dir: Path | None, stride: int | None
) -> None:
    write_submission(predictions, path)
    report = validate_submission(path, None if store_dir is None else expected_samples(store_dir))
    LOG.log(logging.WARNING if report.problems else logging.INFO, "%s", report.text.rstrip())
    if stride not in (None, 1):
        LOG.warning(
            "%s holds every %s. frame of a track, EvalAI wants all: test again with "
            "'datamodule={test_stride:1}'",
            *(path, stride),
        )
