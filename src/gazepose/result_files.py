"""The files of a test: official csv files, numbers, slices, figure; or a submission."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from common.atomic import partial_path, write_text_atomically
from gazepose.baselines import baseline_maps
from gazepose.figures import save_score_figure
from gazepose.prediction_files import (
    PREDICTION_COLUMNS,
    TEST_COLUMNS,
    TRUTH_COLUMNS,
    write_rows,
)
from gazepose.score_slices import describe_samples, score_slices, slice_table
from gazepose.submission import write_submission

LOG = logging.getLogger(__name__)
PREDICTIONS_SUFFIX = "_predictions.parquet"


def write_results(
    predictions: pl.DataFrame, described: Mapping[str, Any], output_dir: Path, stem: str
) -> Path | None:
    """Write everything about the predictions of a test.

    ``STEM_predictions.parquet``: all columns, what `gazepose.ensembling` reads.
    Where labels are known: ``STEM_pred.csv`` and ``STEM_gt.csv`` in the official form,
    ``STEM.json``, ``STEM_slices.csv`` and ``STEM.png``.
    Where none is known: ``STEM_pred.csv``, in the test set's form if the samples have its ids, and
    then ``evalai/STEM.json`` for submission.

    Args:
        predictions: one row or more of `gazepose.predictions.predictions_table`.
        described: what was tested, for the json.
        output_dir: where the files go.
        stem: what their names begin with.

    Returns:
        The figure's path; None where no label is known.
    """
    with partial_path(output_dir / f"{stem}{PREDICTIONS_SUFFIX}") as partial:
        predictions.write_parquet(partial)
    known = predictions.filter(pl.col("label") >= 0)
    if known.is_empty():
        _write_unlabelled(predictions, described.get("stride"), output_dir, stem)
        return None
    if known.height < predictions.height:
        LOG.warning(
            "%d of %d samples have no known label: they are in %s%s only",
            *(predictions.height - known.height, predictions.height, stem, PREDICTIONS_SUFFIX),
        )
    return _write_labelled(known, described, output_dir, stem)


def summarise(predictions: pl.DataFrame) -> dict[str, Any]:
    """Return the numbers of all samples (`describe_samples`), baselines, and numbers by slice.

    Args:
        predictions: labelled rows of `gazepose.predictions.predictions_table`, at least one.
    """
    return {
        **describe_samples(predictions),
        "baselines": baseline_maps(predictions),
        "by": score_slices(predictions),
    }


def _write_labelled(
    predictions: pl.DataFrame, described: Mapping[str, Any], output_dir: Path, stem: str
) -> Path:
    summary = summarise(predictions)
    if summary["map"] is None:
        LOG.warning("mAP is not defined: all %d samples are of one class", predictions.height)
    write_rows(predictions, PREDICTION_COLUMNS, output_dir / f"{stem}_pred.csv")
    write_rows(predictions, TRUTH_COLUMNS, output_dir / f"{stem}_gt.csv")
    with partial_path(output_dir / f"{stem}_slices.csv") as partial:
        slice_table(summary["by"]).write_csv(partial)
    numbers = {"kind": "eye_contact_test", "unit": "mAP", **described, **summary}
    text = json.dumps(numbers, indent=1, allow_nan=False) + "\n"
    write_text_atomically(output_dir / f"{stem}.json", text)
    figure_path = output_dir / f"{stem}.png"
    save_score_figure(predictions, summary, figure_path, title=stem)
    return figure_path


def _write_unlabelled(
    predictions: pl.DataFrame, stride: int | None, output_dir: Path, stem: str
) -> None:
    path = output_dir / f"{stem}_pred.csv"
    if (predictions["unique_id"].fill_null("") == "").any():
        write_rows(predictions, PREDICTION_COLUMNS, path)
        LOG.warning("no label is known, so there are no metrics: scores only -> %s", path)
        return
    write_rows(predictions, TEST_COLUMNS, path)
    submission = output_dir / "evalai" / f"{stem}.json"
    write_submission(predictions, submission)
    LOG.warning(
        "no label is known, so there are no metrics: %d scores -> %s and, for EvalAI, %s",
        *(predictions.height, path, submission),
    )
    if stride not in (None, 1):
        LOG.warning(
            "%s holds every %s. frame of a track, EvalAI wants all: test again with "
            "data.datamodule.test_stride=1",
            *(submission, stride),
        )
