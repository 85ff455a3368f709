"""Files appear whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from common.atomic import partial_path, remove_leftovers, write_text_atomically


def test_a_file_appears_when_the_block_ends(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "x.png"
    with partial_path(path) as partial:
        assert partial.suffix == ".png"
        partial.write_bytes(b"image")
        assert not path.exists()
    assert path.read_bytes() == b"image"
    assert [found.name for found in path.parent.iterdir()] == ["x.png"]


def test_after_an_error_the_old_file_is_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    write_text_atomically(path, "old")

    def fail() -> None:
        with partial_path(path) as partial:
            partial.write_text("half")
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        fail()
    assert path.read_text() == "old"
    assert [found.name for found in tmp_path.iterdir()] == ["x.txt"]


def test_a_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    write_text_atomically(tmp_path / "x.txt", "a long old text")
    write_text_atomically(tmp_path / "x.txt", "new")
    assert (tmp_path / "x.txt").read_text() == "new"


def test_what_a_killed_process_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    kept = {"last.ckpt", ".hidden", ".gitignore.txt", "x.4711.txt"}
    for name in (*kept, ".last.4711.ckpt", ".run.1.json"):
        (tmp_path / name).write_text("")
    (tmp_path / ".folder.1.ckpt").mkdir()
    remove_leftovers(tmp_path)
    remove_leftovers(tmp_path / "nowhere")
    assert {path.name for path in tmp_path.iterdir()} == {*kept, ".folder.1.ckpt"}
