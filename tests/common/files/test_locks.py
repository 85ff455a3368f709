"""One process in the block, or many and one of them alone; nothing stays behind."""

import errno
import fcntl
import threading
import time
from pathlib import Path

import pytest

from common.files.locks import locked, shared


def test_one_at_a_time_is_in_the_block(tmp_path: Path) -> None:
    inside, most = 0, 0

    def enter() -> None:
        nonlocal inside, most
        for _ in range(20):
            with locked(tmp_path / "new" / ".lock"):
                inside += 1
                most = max(most, inside)
                time.sleep(0.0005)
                inside -= 1

    threads = [threading.Thread(target=enter) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (inside, most) == (0, 1)
    assert list((tmp_path / "new").iterdir()) == []


def test_a_lock_that_a_killed_process_left_holds_nobody_up(tmp_path: Path) -> None:
    (tmp_path / ".lock").touch()
    with locked(tmp_path / ".lock"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_only_who_comes_first_is_alone(tmp_path: Path) -> None:
    path, alone = tmp_path / ".lock", []
    with shared(path, lambda: alone.append("first")):
        with shared(path, lambda: alone.append("second")):
            pass
        with shared(path, lambda: alone.append("third")):
            assert path.exists()
    assert alone == ["first"]
    with shared(path, lambda: alone.append("last")):
        pass
    assert alone == ["first", "last"]
    assert list(tmp_path.iterdir()) == []


def test_without_locks_everybody_is_let_in_and_nobody_is_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def no_locks(*_: object) -> None:
        raise OSError(errno.ENOTSUP, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", no_locks)
    alone: list[str] = []
    with locked(tmp_path / ".a"), shared(tmp_path / ".b", lambda: alone.append("x")):
        pass
    assert alone == []
    assert "one process at a time" in caplog.text
