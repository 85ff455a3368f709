"""Predictions of the test set -> the json that EvalAI takes.

Where the original's file differs: pandas makes numbers of ids that look like numbers (``00012``
becomes 12, ``1e5`` 100000.0) and NaN, which is no json, of ``NA``, ``null`` and of a missing score.
Here ids stay as they are in the csv, and a score that is no number is an error.
"""

import json
from pathlib import Path

import polars as pl

from common.files.atomic import write_text_atomically
from common.files.foreign_tables import named_table_errors
from common.files.sealed import read_table
from gazepose.store.reading import FRAMES_FILE, REMEDY
from gazepose.submission.check import CHALLENGE, VERSION, SampleId
from gazepose.submission.official_csv import TEST_COLUMNS, check_scores, read_rows, require


def write_submission(predictions: pl.DataFrame, path: Path) -> None:
    """Write the json that EvalAI takes, whole or not at all.

    Args:
        predictions: columns ``uid``, ``unique_id``, ``trackid`` (text) and ``score``.
        path: the file.

    Raises:
        ValueError: As `check_scores`.
    """
    check_scores(predictions)
    entries = predictions.select(
        video_id="uid", unique_id="unique_id", track_id="trackid", label=pl.lit(1), score="score"
    )
    # By polars: a million dictionaries would take a gigabyte.
    results = entries.write_json()
    head = json.dumps({"version": VERSION, "challenge": CHALLENGE})
    write_text_atomically(path, f'{head[:-1]}, "results": {results}}}\n')


def convert_predictions(pred_csv: Path, json_path: Path) -> None:
    """Write a csv of test predictions as the json that EvalAI takes.

    Its rows are ``uid,unique_id,trackid,1,score`` without a header; more columns are left out.

    Raises:
        ValueError: If the csv is not of this form; says file, row and reason.
    """
    rows = read_rows(pred_csv, TEST_COLUMNS, more_columns=True)
    require(rows, pl.col("label") == 1, pred_csv, "label", "1, the class its score is of")
    require(rows, pl.col("score").is_finite(), pred_csv, "score", "a finite number")
    write_submission(rows, json_path)


def expected_samples(store_dir: Path) -> set[SampleId]:
    """Return the samples of the test set: those of a store that have a unique id.

    Raises:
        ValueError: If the folder has no table, it is damaged, or has no such sample.
    """
    path = store_dir / FRAMES_FILE
    if not path.is_file():
        raise ValueError(f"{path}: no such file; run `python preprocess.py data=...` first")
    names = ["group_name", "track_id", "unique_id"]
    table = read_table(path, REMEDY, names)
    with named_table_errors(path, REMEDY):
        table = table.select(pl.col(names).cast(pl.String))
        named = table.filter(pl.col("unique_id") != "")
    if named.is_empty():
        raise ValueError(f"{path} holds no sample of the test set: none has a unique_id")
    return set(named.iter_rows())
