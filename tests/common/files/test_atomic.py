"""Files appear whole or not at all."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from common.files.atomic import kept_lines, partial_path, remove_leftovers, write_text_atomically


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
    kept = {"last.ckpt", ".hidden", ".gitignore.txt", "x.4711.txt", f".best.{os.getpid()}.ckpt"}
    for name in (*kept, ".last.99999999.ckpt", ".run.99999998.json"):  # no such processes
        (tmp_path / name).write_text("")
    (tmp_path / ".folder.1.ckpt").mkdir()
    remove_leftovers(tmp_path)
    remove_leftovers(tmp_path / "nowhere")
    assert {path.name for path in tmp_path.iterdir()} == {*kept, ".folder.1.ckpt"}


def test_what_another_users_process_is_writing_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(process: int, signal: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "kill", forbidden)
    (tmp_path / ".last.4711.ckpt").touch()
    remove_leftovers(tmp_path)
    assert (tmp_path / ".last.4711.ckpt").is_file()


def test_a_file_is_on_the_disk_before_it_gets_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda file: (done.append("fsync"), fsync(file)))
    monkeypatch.setattr(os, "replace", lambda *names: (done.append("replace"), replace(*names)))
    write_text_atomically(tmp_path / "x.txt", "text")
    with kept_lines(tmp_path / "lines.txt") as lines:
        lines.write("line\n")
    assert done == ["fsync", "replace"] * 2


def test_text_is_utf_8_whatever_the_locale(tmp_path: Path) -> None:
    code = """
import sys
from pathlib import Path
from common.files.atomic import kept_lines, write_text_atomically
write_text_atomically(Path(sys.argv[1], "x.txt"), "\\u00e4")
with kept_lines(Path(sys.argv[1], "y.txt")) as lines:
    lines.write("\\u00e4")
"""
    plain = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True, env=plain)
    assert {path.read_bytes() for path in tmp_path.iterdir()} == {b"\xc3\xa4"}
