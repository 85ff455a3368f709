"""The csv files of Ego4D's baseline, without headers: truth and predictions.

======================  ================================================
truth                   ``uid,frame,x1,y1,x2,y2,trackid,label``
predictions             ``uid,frame,x1,y1,x2,y2,trackid,1,score``
predictions, test set   ``uid,unique_id,trackid,1,score``
======================  ================================================

Ids are text here, whatever they look like. pandas, which the original reads them with, makes
numbers of them where a whole column allows it, and takes ``NA`` or ``null`` for nothing.
"""

import logging
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from common.files.atomic import partial_path
from common.files.foreign_tables import TABLE_ERRORS

LOG = logging.getLogger(__name__)
KEY = ["uid", "trackid", "frame", "unique_id"]
"""What a prediction is told by; each kind of file has some of it."""
TRUTH_KEY = ["uid", "frame", "trackid"]
BOX = ["x1", "y1", "x2", "y2"]
TRUTH_COLUMNS = ["uid", "frame", *BOX, "trackid", "label"]
PREDICTION_COLUMNS = [*TRUTH_COLUMNS, "score"]
TEST_COLUMNS = ["uid", "unique_id", "trackid", "label", "score"]

_BOX_TOLERANCE_PX = 1e-9
_NUMBERS = {"frame": pl.Int64, "label": pl.Int64} | dict.fromkeys([*BOX, "score"], pl.Float64)


def read_rows(path: Path, columns: Sequence[str], more_columns: bool = False) -> pl.DataFrame:
    """Return the rows of a csv without a header.

    Args:
        path: the file.
        columns: its columns, of those above.
        more_columns: whether others may follow; they are left out.

    Returns:
        ``line``, the row's number in the file from 1, and the columns: ids as text, numbers as
        Int64 (frame, label) and Float64.

    Raises:
        ValueError: If there is no such file, it has other columns, or a number is none; says
            file, row and reason.
    """
    expected = ",".join(columns)
    if not path.is_file():
        raise ValueError(f"{path}: no such file; expected a csv with columns {expected}")
    try:
        text = pl.read_csv(path, glob=False, has_header=False, infer_schema=False).fill_null("")
    except pl.exceptions.NoDataError as error:
        raise ValueError(f"{path} is empty, expected rows of {expected}") from error
    except TABLE_ERRORS as error:
        raise ValueError(f"{path} is no csv of {expected}: {error}") from error
    if text.width < len(columns) or (text.width > len(columns) and not more_columns):
        raise ValueError(f"{path} has {text.width} columns, expected {len(columns)}: {expected}")
    named = text.select(pl.nth(place).alias(name) for place, name in enumerate(columns))
    return _typed(named.with_row_index("line", offset=1), path)


def require(rows: pl.DataFrame, is_right: pl.Expr, path: Path, name: str, expected: str) -> None:
    """Check a column of `read_rows`.

    Raises:
        ValueError: If a row is not right; says file, row and value.
    """
    wrong = rows.filter(~is_right)
    if wrong.height:
        raise ValueError(
            f"{path}, row {wrong['line'][0]}: {name} is {wrong[name][0]}, expected {expected} "
            f"({wrong.height} such rows)"
        )


def write_rows(predictions: pl.DataFrame, columns: Sequence[str], path: Path) -> None:
    """Write some columns, of those above, as a csv without a header, whole or not at all.

    Where predictions are written they need no ``label``: it is 1, the class that the score is of.
    """
    named = pl.lit(1).alias("label") if "score" in columns else pl.col("label")
    with partial_path(path) as partial:
        predictions.with_columns(named).select(columns).write_csv(partial, include_header=False)


def check_scores(predictions: pl.DataFrame) -> None:
    """Refuse scores that are missing, nan or infinite.

    Raises:
        ValueError: If there are any; says how many, and by the known columns of `KEY` where.
    """
    wrong = predictions.filter(~pl.col("score").is_finite().fill_null(False))
    if wrong.is_empty():
        return
    known = {name: wrong[name][0] for name in KEY if name in wrong.columns}
    where = ", ".join(f"{name} {value}" for name, value in known.items() if value not in (None, ""))
    raise ValueError(
        f"{wrong.height} of {predictions.height} scores are no finite numbers, the first is "
        f"{wrong['score'][0]} ({where}): look whether train/loss is a number, and train again "
        "with a lower model.learning_rate if it is not"
    )


def read_pairs(gt_csv: Path, pred_csv: Path) -> pl.DataFrame:
    """Return truth and prediction side by side, in the order of the truth.

    A key (uid, frame, trackid) that comes again in a file is dropped there: the first row counts.

    Args:
        gt_csv: rows of `TRUTH_COLUMNS` without a header.
        pred_csv: rows of `PREDICTION_COLUMNS` without a header.

    Returns:
        The columns of `TRUTH_KEY` and `BOX`, ``label`` (1 or 0) and ``score``.

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
        predictions.drop("label"), on=TRUTH_KEY, how="inner", suffix="_pred", maintain_order="left"
    )
    _check_same_boxes(pairs, gt_csv, pred_csv)
    return pairs.select(*TRUTH_KEY, *BOX, "label", "score")


def _typed(text: pl.DataFrame, path: Path) -> pl.DataFrame:
    numbers = {name: kind for name, kind in _NUMBERS.items() if name in text.columns}
    typed = text.with_columns(
        pl.col(name).str.strip_chars().cast(kind, strict=False) for name, kind in numbers.items()
    )
    for name, kind in numbers.items():
        wrong = text.filter(typed[name].is_null())
        if wrong.height:
            expected = "a whole number" if kind == pl.Int64 else "a number"
            raise ValueError(
                f"{path}, row {wrong['line'][0]}: {name} is {wrong[name][0]!r}, expected {expected}"
            )
    return typed


def _unique_rows(rows: pl.DataFrame, path: Path) -> pl.DataFrame:
    unique = rows.unique(TRUTH_KEY, keep="first", maintain_order=True)
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
    if gt.join(predictions, on=TRUTH_KEY, how="semi").is_empty():
        raise ValueError(
            f"{pred_csv} and {gt_csv} share no uid:frame:trackid: the first ones are "
            f"{_key(predictions)} and {_key(gt)}"
        )
    for rows, path, others, other_path in (
        (gt, gt_csv, predictions, pred_csv),
        (predictions, pred_csv, gt, gt_csv),
    ):
        missing = rows.join(others, on=TRUTH_KEY, how="anti", maintain_order="left")
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
    return ":".join(str(rows[name][0]) for name in TRUTH_KEY)
