"""Files that others wrote: values, or errors that name file and place."""

import math
import re
from pathlib import Path

import pytest

from common.files.foreign_files import is_name, path_inside, read_csv, read_json, read_lines, shown

DEEP = "[" * 100_000


def written(folder: Path, content: str | bytes) -> Path:
    path = folder / "given.txt"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_lines_are_stripped_whatever_ends_them(tmp_path: Path, ending: str) -> None:
    text = "\ufeffa" + ending + " b " + ending + ending + "c"
    assert read_lines(written(tmp_path, text)) == ["a", "b", "", "c"]


def test_a_byte_that_is_no_utf8_is_named_by_its_line(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"given\.txt, line 3:"):
        read_lines(written(tmp_path, b"a\n\nb\xe9\nc"))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"absent\.json.*No such file"):
        read_json(tmp_path / "absent.json")


@pytest.mark.parametrize("text", ["", DEEP, b"\xff"])
def test_what_is_no_json_is_named(tmp_path: Path, text: str | bytes) -> None:
    with pytest.raises(ValueError, match=r"given\.txt"):
        read_json(written(tmp_path, text))


def test_numbers_beyond_all_measure_are_infinite(tmp_path: Path) -> None:
    digits = "1" * 5000
    assert read_json(written(tmp_path, f"[{digits}, -{digits}, 12]")) == [math.inf, -math.inf, 12]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (r'"\ud800"', "\ufffd"),
        (r'"\udc00\ud800"', "\ufffd\ufffd"),
        (r'"\ud83d\ude00\ud83d"', "\U0001f600\ufffd"),
        (r'"\\ud800"', r"\ud800"),
    ],
)
def test_every_text_of_a_json_can_be_written(tmp_path: Path, text: str, value: str) -> None:
    assert read_json(written(tmp_path, text)) == value


def test_rows_of_a_csv_come_with_their_lines(tmp_path: Path) -> None:
    path = written(tmp_path, 'a,b\n\n"1\n2",3\n')
    assert list(read_csv(path)) == [(1, ["a", "b"]), (4, ["1\n2", "3"])]


def test_a_field_beyond_all_measure_is_named_by_its_line(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"given\.txt, line 2:"):
        list(read_csv(written(tmp_path, "a,b\n" + "x" * 200_000 + ",1\n")))


def test_what_a_file_may_be_called_and_what_not() -> None:
    assert all(map(is_name, ["a", "0a1b-c", "clip 1.mp4", "\u00e9", "x" * 200]))
    not_names = ["", ".", "..", ".a", "a/b", "a\\b", "a\x00", "x" * 201, "\ud800"]
    assert not any(map(is_name, not_names))


def test_a_path_below_a_folder(tmp_path: Path) -> None:
    assert path_inside(tmp_path, "a/./b.jpg") == tmp_path / "a" / "b.jpg"


@pytest.mark.parametrize("name", ["", "/etc/x", "..", "a/../../x", "a/\x00", "x" * 300, "x/" * 600])
def test_a_path_that_leads_out_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match=re.escape(str(tmp_path))):
        path_inside(tmp_path, name)


def test_what_is_shown_is_short() -> None:
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    assert [shown("a"), shown(None), shown(deep)] == ['"a"', "null", "a list"]
    assert len(shown("x" * 1000)) < 100
