import logging

import pytest

from gazepose.readers.split_lists import REMOVED_UIDS, check_disjoint, read_split_list, rebuilt_list


@pytest.mark.parametrize("ending", ["", "\n"])
def test_last_line_needs_no_newline(tmp_path, ending):
    path = tmp_path / "val.list"
    path.write_text("b\na" + ending)
    assert read_split_list(path) == ["b", "a"]


def test_blank_lines_and_repeated_clips_are_passed_over_with_a_warning(tmp_path, caplog):
    path = tmp_path / "val.list"
    path.write_text("b\n\n  \na\nb\n")
    with caplog.at_level(logging.WARNING):
        assert read_split_list(path) == ["b", "a"]
    blank, twice = (record.message for record in caplog.records)
    assert "val.list: 2 blank" in blank
    assert "val.list" in twice
    assert twice.endswith(": b")


def test_empty_list_is_refused(tmp_path):
    path = tmp_path / "train.list"
    path.write_text("\n\n")
    with pytest.raises(ValueError, match=r"train\.list.*one clip id a line"):
        read_split_list(path)


@pytest.mark.parametrize(("line", "shown"), [("clips/aaa", "clips/aaa"), ("x" * 300, "x{80}")])
def test_line_that_no_file_can_be_called_by_is_refused_by_file_and_line(tmp_path, line, shown):
    path = tmp_path / "train.list"
    path.write_text(f"bbb\n\n{line}\n")
    with pytest.raises(ValueError, match=rf"train\.list, line 3: '{shown}'"):
        read_split_list(path)


def test_missing_list_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"train\.list"):
        read_split_list(tmp_path / "train.list")


def test_rebuilt_list_keeps_the_order_and_leaves_the_removed_out():
    removed = sorted(REMOVED_UIDS)
    assert len(removed) == 4
    assert rebuilt_list(["z", *removed, "a"]) == ["z", "a"]


def test_clip_in_two_parts_is_refused():
    check_disjoint({"train": ["a", "a"], "val": ["b"]})
    with pytest.raises(ValueError, match=r"1 .*'train', 'val'.* b\."):
        check_disjoint({"train": ["a", "b"], "val": ["b"]})


def test_a_line_that_is_no_utf8_is_named(tmp_path):
    path = tmp_path / "train.list"
    path.write_bytes(b"aaa\nclip-\xe9\n")
    with pytest.raises(ValueError, match=r"train\.list, line 2.*UTF-8"):
        read_split_list(path)
