"""The csv files of Ego4D's baseline, without headers: truth and predictions.

======================  ================================================
truth                   ``uid,frame,x1,y1,x2,y2,trackid,label``
predictions             ``uid,frame,x1,y1,x2,y2,trackid,1,score``
predictions, test set   ``uid,unique_id,trackid,1,score``
======================  ================================================

Ids are text here, whatever they look like. pandas, which the original reads them with, makes
numbers of them where a whole column allows it, and takes ``NA`` or ``null`` for nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from common.atomic import partial_path

BOX = ["x1", "y1", "x2", "y2"]
TRUTH_COLUMNS = ["uid", "frame", *BOX, "trackid", "label"]
PREDICTION_COLUMNS = [*TRUTH_COLUMNS, "score"]
TEST_COLUMNS = ["uid", "unique_id", "trackid", "label", "score"]

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
        text = pl.read_csv(path, has_header=False, infer_schema=False).fill_null("")
    except pl.exceptions.NoDataError as error:
        raise ValueError(f"{path} is empty, expected rows of {expected}") from error
    except pl.exceptions.PolarsError as error:
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
    """Write a csv without a header, whole or not at all.

    Args:
        predictions: with all columns but ``label`` where predictions are written: there it is 1,
            the class that the score is of.
        columns: of those above.
        path: the file.
    """
    named = pl.lit(1).alias("label") if "score" in columns else pl.col("label")
    with partial_path(path) as partial:
        predictions.with_columns(named).select(columns).write_csv(partial, include_header=False)


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
