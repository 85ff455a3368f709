"""A row a face: as lines of JSON while they come, and as a table of the form that is asked for."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, TextIO, get_args

import polars as pl

from common.files.atomic import kept_lines, partial_path
from common.prediction.annotator import Schema
from common.prediction.outcomes import NotWrittenError

Format = Literal["jsonl", "csv", "parquet"]
_REASON: Schema = {"reason": pl.String}
OF_VIDEO: Schema = {
    "video": pl.String,
    "frame": pl.Int64,
    "time_s": pl.Float64,
    "track_id": pl.String,
}
OF_PHOTO: Schema = {"photo": pl.String, "drawn": pl.String}


def check_format(table_format: str) -> None:
    """Refuse a form that no table has.

    Raises:
        ValueError: If so.
    """
    if table_format not in get_args(Format):
        raise ValueError(f"format={table_format}, expected one of {', '.join(get_args(Format))}")


def rows_of(place: Mapping[str, Any], records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return a row a face of a frame; one with its place alone if it shows none."""
    return [{**place, **record} for record in records or [{"track_id": None}]]


@contextmanager
def kept_table(path: Path, schema: Schema) -> Iterator[TextIO]:
    """Yield a file for lines of JSON, which end as a table in any case.

    Args:
        path: of the table; its suffix says which form it has. A table takes a pass over the lines
            and little memory.
        schema: of its rows; beside them a row may have a ``reason``.
    """
    if path.suffix == ".jsonl":
        with kept_lines(path) as lines:
            yield lines
        return
    # A name that says whose it is: what a killed process leaves goes at the next start.
    lines_path = path.with_name(f".{path.name}.{os.getpid()}.jsonl")
    try:
        with kept_lines(lines_path) as lines:
            yield lines
    finally:
        if lines_path.is_file():
            _write_table(lines_path, path, {**schema, **_REASON})
            lines_path.unlink()


def _write_table(lines_path: Path, path: Path, schema: Schema) -> None:
    rows = pl.scan_ndjson(lines_path, schema=dict(schema))
    try:
        with partial_path(path) as partial:
            if path.suffix == ".parquet":
                rows.sink_parquet(partial)
            else:
                _flat(rows, schema).sink_csv(partial)
    except pl.exceptions.PolarsError as error:
        raise NotWrittenError(f"{path} was not written: {error}") from error


def _flat(rows: pl.LazyFrame, schema: Schema) -> pl.LazyFrame:
    """Return rows in which a list's values have columns of their own, numbered from 0."""
    arrays = {name: kind for name, kind in schema.items() if isinstance(kind, pl.Array)}
    if not arrays:
        return rows
    columns: list[pl.Expr] = []
    inner: dict[str, Any] = {}
    for name, kind in schema.items():
        if name not in arrays:
            columns.append(pl.col(name))
            inner[name] = kind
            continue
        for place in range(kind.size):
            columns.append(pl.col(name).arr.get(place).alias(f"{name}_{place}"))
            inner[f"{name}_{place}"] = kind.inner
    return _flat(rows.select(columns), inner)
