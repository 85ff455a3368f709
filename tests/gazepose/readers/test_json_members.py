"""Members of a large object: places that parse back to the values."""

import json
from pathlib import Path

import pytest

from gazepose.readers.json_members import object_members, read_span

CONTENT = {"a": {"x": [1, 2, {"b": None}]}, "grüße": "ä,}:{", "": [], "n": -1.5e3}


@pytest.mark.parametrize(("indent", "ensure_ascii"), [(None, True), (2, False)])
def test_every_member_parses_back(tmp_path: Path, indent: int | None, ensure_ascii: bool) -> None:
    path = tmp_path / "x.json"
    path.write_text(json.dumps(CONTENT, indent=indent, ensure_ascii=ensure_ascii), "utf-8")
    members = list(object_members(path))
    values = {m.key: json.loads(read_span(path, m.value_start, m.end)) for m in members}
    assert values == CONTENT
    for member in members:
        whole = b"{%s}" % read_span(path, member.start, member.end)
        assert json.loads(whole) == {member.key: CONTENT[member.key]}


def test_an_empty_object_has_no_member(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text(" { }\n")
    assert list(object_members(path)) == []


@pytest.mark.parametrize("length", [1, 4, 9, 40])
def test_a_file_cut_short_names_the_place(tmp_path: Path, length: int) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(json.dumps(CONTENT).encode()[:length])
    with pytest.raises(ValueError, match=rf"x\.json.*byte \d+ of {length} "):
        list(object_members(path))


def test_members_before_the_damage_are_handed_out(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text('{"a": 1, "b": 2, "c": [')
    members = object_members(path)
    assert [next(members).key, next(members).key] == ["a", "b"]
    with pytest.raises(ValueError, match=r"x\.json.*byte 23 of 23"):
        next(members)


def test_anything_but_an_object_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text("[1]")
    with pytest.raises(ValueError, match=r"x\.json.*byte 0 of 3 .*'\{'"):
        list(object_members(path))


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.touch()
    with pytest.raises(ValueError, match=r"x\.json.*download"):
        list(object_members(path))


def test_a_key_that_is_no_utf8_costs_itself(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(b'{"\xe9": 1, "b": 2}')
    assert [member.key for member in object_members(path)] == ["\ufffd", "b"]


def test_a_key_that_is_no_text_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text('{[1]: 1, "b": 2}')
    with pytest.raises(ValueError, match=r"x\.json.*byte 1 of"):
        list(object_members(path))
