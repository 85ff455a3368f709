"""Truth and predictions of Ego4D's evaluation, paired row by row."""

from __future__ import annotations

import logging
from pathlib import Path

import polars as pl

from gazepose.submission.official_csv import (
    BOX,
    PREDICTION_COLUMNS,
    TRUTH_COLUMNS,
    read_rows,
    require,
)

LOG = logging.getLogger(__name__)
KEY = ["uid", "frame", "trackid"]
_BOX_TOLERANCE_PX = 1e-9


def read_pairs(gt_csv: Path, pred_csv: Path) -> pl.DataFrame:
    """Return truth and prediction side by side, in the order of the truth.

    A key (uid, frame, trackid) that comes again in a file is dropped there: the first row counts.

    Args:
        gt_csv: rows of `gazepose.submission.official_csv.TRUTH_COLUMNS` without a header.
        pred_csv: rows of `gazepose.submission.official_csv.PREDICTION_COLUMNS` without a header.

    Returns:
        The columns of `KEY` and `BOX`, ``label`` (1 or 0) and ``score``.

    Raises:
        ValueError: If a file is not of its form, a key is in one file only, boxes of a key differ
            by more than 1e-9 pixels, a predicted label is not 1, or a score is not finite.
    """
    gt = _unique_rows(read_rows(gt_csv, TRUTH_COLUMNS), gt_csv)
    require(gt, pl.col("label").is_in([0, 1]), gt_csv, "label", "1 or 0")
    predictions = _unique_rows(read_rows(pred_csv, PREDICTION_COLUMNS), pred_csv)
    require(predictions, pl.col("label") == 1, pred_csv, "label", "1, the class its score is of")
    require(predictions, pl.col("score").is_finite(), pred_csv, "score", "a finite number")
    _check_same_keys(gt, gt_csv, predictions, pred_csv)
    pairs = gt.join(
        predictions.drop("label"), on=KEY, how="inner", suffix="_pred", maintain_order="left"
    )
    _check_same_boxes(pairs, gt_csv, pred_csv)
    return pairs.select(*KEY, *BOX, "label", "score")


def _unique_rows(rows: pl.DataFrame, path: Path) -> pl.DataFrame:
    unique = rows.unique(KEY, keep="first", maintain_order=True)
    if unique.height < rows.height:
        LOG.warning(
            "%s: %d of %d rows repeat an earlier uid:frame:trackid and are left out",
            path,
            rows.height - unique.height,
            rows.height,
        )
    return unique


def _check_same_keys(
    gt: pl.DataFrame, gt_csv: Path, predictions: pl.DataFrame, pred_csv: Path
) -> None:
    if gt.join(predictions, on=KEY, how="semi").is_empty():
        raise ValueError(
            f"{pred_csv} and {gt_csv} share no uid:frame:trackid: the first ones are "
            f"{_key(predictions)} and {_key(gt)}"
        )
    for rows, path, others, other_path in (
        (gt, gt_csv, predictions, pred_csv),
        (predictions, pred_csv, gt, gt_csv),
    ):
        missing = rows.join(others, on=KEY, how="anti", maintain_order="left")
        if missing.height:
            raise ValueError(
                f"{other_path} lacks {missing.height} of the {rows.height} samples of {path}, "
                f"the first is {_key(missing)} (row {missing['line'][0]})"
            )


def _check_same_boxes(pairs: pl.DataFrame, gt_csv: Path, pred_csv: Path) -> None:
    wrong = pairs.filter(~pl.all_horizontal(_is_close(name) for name in BOX))
    if wrong.height:
        row = wrong.row(0, named=True)
        raise ValueError(
            f"boxes of {_key(wrong)} differ: {[row[name] for name in BOX]} in {gt_csv} "
            f"(row {row['line']}), {[row[f'{name}_pred'] for name in BOX]} in {pred_csv} "
            f"(row {row['line_pred']}); expected within {_BOX_TOLERANCE_PX} px "
            f"({wrong.height} such samples)"
        )


def _is_close(name: str) -> pl.Expr:
    one, other = pl.col(name), pl.col(f"{name}_pred")
    # Equal boxes of nan are those of a data set without boxes.
    return (one == other) | ((one - other).abs() <= _BOX_TOLERANCE_PX)


def _key(rows: pl.DataFrame) -> str:
    return ":".join(str(rows[name][0]) for name in KEY)
