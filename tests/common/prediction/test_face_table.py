"""Lines of JSON become a table, lists columns of their own in CSV."""

import json
from pathlib import Path

import polars as pl
import pytest

from common.prediction.face_table import kept_table, rows_of
from common.prediction.outcomes import NotWrittenError

SCHEMA = {
    "frame": pl.Int64,
    "track_id": pl.String,
    "box": pl.Array(pl.Float64, 2),
    "points": pl.Array(pl.Array(pl.Float64, 2), 2),
}
ROWS = [
    {"frame": 0, "track_id": "a,b", "box": [1.5, 2], "points": [[1, 2], [None, None]]},
    {"frame": 1, "track_id": None},
    {"reason": 'stopped: "x"'},
]


def write(path: Path) -> None:
    with kept_table(path, SCHEMA) as lines:
        lines.writelines(json.dumps(row) + "\n" for row in ROWS)


def test_a_frame_without_a_face_has_a_row_of_its_place() -> None:
    assert rows_of({"frame": 3}, []) == [{"frame": 3, "track_id": None}]
    assert rows_of({"frame": 3}, [{"track_id": "1"}]) == [{"frame": 3, "track_id": "1"}]


def test_parquet_keeps_lists(tmp_path: Path) -> None:
    write(tmp_path / "t.parquet")
    table = pl.read_parquet(tmp_path / "t.parquet")
    assert table.schema == {**SCHEMA, "reason": pl.String}
    assert table["points"].to_list() == [[[1, 2], [None, None]], None, None]
    assert [path.name for path in tmp_path.iterdir()] == ["t.parquet"]


def test_csv_gives_each_of_a_lists_values_a_column(tmp_path: Path) -> None:
    write(tmp_path / "t.csv")
    table = pl.read_csv(tmp_path / "t.csv")
    assert table.columns == [
        *("frame", "track_id", "box_0", "box_1"),
        *("points_0_0", "points_0_1", "points_1_0", "points_1_1", "reason"),
    ]
    assert table.row(0) == (0, "a,b", 1.5, 2.0, 1.0, 2.0, None, None, None)
    assert table["reason"][2] == 'stopped: "x"'


def test_lines_stay_lines(tmp_path: Path) -> None:
    write(tmp_path / "t.jsonl")
    assert [json.loads(line) for line in (tmp_path / "t.jsonl").read_text().splitlines()] == ROWS


def test_a_table_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "t.csv" / "in the way").mkdir(parents=True)
    with pytest.raises((NotWrittenError, OSError), match=r"t\.csv"):
        write(tmp_path / "t.csv")
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        write(tmp_path / "file" / "t.csv")


def test_a_row_that_its_table_cannot_hold_is_named(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    with pytest.raises(NotWrittenError, match=r"t\.parquet"), kept_table(path, SCHEMA) as lines:
        lines.write('{"frame": "first"}\n')
    assert not path.exists()
