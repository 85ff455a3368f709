"""A file with a seal is as it was written, or refused by name."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from common.files.sealed import (
    BLANK,
    SEAL,
    check_seal,
    read_json,
    read_metadata,
    read_table,
    read_text,
    scan_table,
    write_json,
    write_table,
    write_text,
)

CONTENT = {"name": "a b", "ä": [1, 2.5, None, True], "nested": {"x": "sha256-"}}
TABLE = pl.DataFrame({"a": [1, 2, 3], "b": ["x", None, "ä"], "c": [0.5, 1.5, float("nan")]})
REMEDY = "make it again"


def json_file(path: Path) -> Callable[[], Any]:
    write_json(path, CONTENT)
    return lambda: read_json(path, REMEDY)


def text_file(path: Path) -> Callable[[], Any]:
    write_text(path, "why it failed: ä\nand a second line")
    return lambda: read_text(path, REMEDY)


def table_file(path: Path) -> Callable[[], Any]:
    write_table(TABLE, path, {"made_from": "train 12 ä"})
    return lambda: (repr(read_table(path, REMEDY).to_dicts()), read_metadata(path, REMEDY))


@pytest.mark.parametrize("write", [json_file, text_file, table_file])
def test_no_bit_changes_unseen(write: Callable[[Path], Callable[[], Any]], tmp_path: Path) -> None:
    path = tmp_path / "kept"
    read = write(path)
    read()
    content = path.read_bytes()
    bits = range(8 * len(content))
    for bit in np.random.default_rng(0).choice(bits, 250, replace=False).tolist():
        changed = bytearray(content)
        changed[bit // 8] ^= 1 << bit % 8
        path.write_bytes(changed)
        with pytest.raises(ValueError, match=rf"kept.*{REMEDY}"):
            read()


def test_what_is_written_is_read(tmp_path: Path) -> None:
    assert json_file(tmp_path / "a")() == CONTENT
    assert text_file(tmp_path / "b")() == "why it failed: ä\nand a second line"
    write_table(TABLE, tmp_path / "c", {"made_from": "train 12 ä"})
    assert read_table(tmp_path / "c", REMEDY).equals(TABLE)
    assert read_table(tmp_path / "c", REMEDY, ["b"]).columns == ["b"]
    assert scan_table(tmp_path / "c", REMEDY).collect().equals(TABLE)
    assert read_metadata(tmp_path / "c", REMEDY)["made_from"] == "train 12 ä"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b", "c"]


def test_others_read_it_too(tmp_path: Path) -> None:
    json_file(tmp_path / "a")
    content = json.loads((tmp_path / "a").read_bytes())
    assert {**content, SEAL: None} == {**CONTENT, SEAL: None}
    table_file(tmp_path / "c")
    assert pl.read_parquet(tmp_path / "c").equals(TABLE)


@pytest.mark.parametrize("num_columns", [0, 1, 300, 2000])
def test_a_table_of_any_width_is_sealed(num_columns: int, tmp_path: Path) -> None:
    wide = pl.DataFrame({f"column{number}": [number] for number in range(num_columns)})
    write_table(wide, tmp_path / "wide", {"made_from": "x" * 5000})
    check_seal(tmp_path / "wide", REMEDY)
    content = bytearray((tmp_path / "wide").read_bytes())
    content[100] ^= 1
    (tmp_path / "wide").write_bytes(content)
    with pytest.raises(ValueError, match=rf"wide.*{REMEDY}"):
        check_seal(tmp_path / "wide", REMEDY)


def test_files_of_before_are_read_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "a").write_text(json.dumps(CONTENT))
    (tmp_path / "b").write_text("why\n")
    TABLE.write_parquet(tmp_path / "c", metadata={"made_from": "12"})
    assert read_json(tmp_path / "a", REMEDY) == CONTENT
    assert read_text(tmp_path / "b", REMEDY) == "why"
    assert read_table(tmp_path / "c", REMEDY).equals(TABLE)
    assert read_metadata(tmp_path / "c", REMEDY)["made_from"] == "12"


@pytest.mark.parametrize("content", [b"", b"{", b"\0" * 900, b"[" * 100_000])
def test_what_is_nothing_of_the_kind_is_named(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "torn"
    path.write_bytes(content)
    for read in (read_json, read_table, scan_table, read_metadata):
        with pytest.raises(ValueError, match=rf"torn.*{REMEDY}"):
            read(path, REMEDY)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    for read in (read_json, read_text, read_table, scan_table):
        with pytest.raises(ValueError, match=rf"gone.*{REMEDY}"):
            read(tmp_path / "gone", REMEDY)


def test_who_changes_json_by_hand_is_told_how(tmp_path: Path) -> None:
    path = tmp_path / "split.json"
    write_json(path, {"name": "mine"})
    path.write_text(path.read_text().replace("mine", "ours"))
    with pytest.raises(ValueError, match=r"split\.json.*'seal'"):
        read_json(path, REMEDY)
    lines = [line for line in path.read_text().splitlines() if SEAL not in line]
    path.write_text("\n".join(lines))
    assert read_json(path, REMEDY) == {"name": "ours"}


def test_a_text_of_any_length_is_sealed(tmp_path: Path) -> None:
    for length in (*range(140), 600, 70_000):
        write_text(tmp_path / "a", "x" * length)
        assert read_text(tmp_path / "a", REMEDY) == "x" * length
        write_json(tmp_path / "b", {"x": "y" * length})
        assert read_json(tmp_path / "b", REMEDY) == {"x": "y" * length}


def test_a_blank_is_no_seal(tmp_path: Path) -> None:
    (tmp_path / "a").write_text(json.dumps({SEAL: BLANK, "x": 1}))
    with pytest.raises(ValueError, match=rf"a is damaged.*{REMEDY}"):
        read_json(tmp_path / "a", REMEDY)


def test_numbers_that_json_has_not_become_null(tmp_path: Path) -> None:
    write_json(tmp_path / "a", {"x": [float("nan"), float("inf"), 1.0], "y": {"z": -float("inf")}})
    assert read_json(tmp_path / "a", REMEDY) == {"x": [None, None, 1.0], "y": {"z": None}}
