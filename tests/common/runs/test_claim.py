"""One process at a time has a run's folder, and one that is refused changes nothing in it."""

import errno
import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import pytest
from builders.small_store import write_small_store
from builders.small_training import REPO_DIR, SMALL_RUN
from omegaconf import OmegaConf

from common.runs.claim import FolderInUseError, claimed, is_in_use
from common.runs.snapshot import read_snapshot
from common.studies.job import run_job
from common.studies.study import StudySummary

HOLDS = """
import sys, time
from pathlib import Path
from common.runs.claim import claimed
with claimed(Path(sys.argv[1])):
    print("mine", flush=True)
    time.sleep(600)
"""


@contextmanager
def other_process(run_dir: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process, which has the folder."""
    command = [sys.executable, "-c", HOLDS, str(run_dir)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "mine\n"
        try:
            yield process
        finally:
            process.kill()


def test_a_folder_is_one_process_s_until_that_ends_in_any_way(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run_dir = tmp_path / "row_seed0"
    with other_process(run_dir) as process:
        assert is_in_use(run_dir)
        taken = rf"{run_dir} .*{process.pid}"
        with pytest.raises(FolderInUseError, match=taken), claimed(run_dir):
            raise AssertionError
        # A study leaves it to its process, and goes on with the next job.
        before = contents(run_dir)
        config = {"ckpt_path": None, "study": None, "paths": {"run_dir": str(run_dir)}}
        with pytest.raises(FolderInUseError, match=taken):
            run_job(config, {})
        config |= {"study": {"name": "x", "rows": {"row": "row"}, "seeds": [0]}}
        with pytest.warns(UserWarning, match=taken):
            assert run_job(config, {}) == {}
        assert contents(run_dir) == before
        config |= {"hydra": {"sweep": {"dir": str(tmp_path)}}}
        with caplog.at_level("INFO"):
            StudySummary().on_multirun_end(OmegaConf.create(config))
        assert "run by another process: row_seed0" in caplog.text
        assert "earlier" not in caplog.text
        process.kill()  # not even a chance to give it back
        process.wait()
        assert not is_in_use(run_dir)
        with claimed(run_dir):
            pass
    assert list(run_dir.iterdir()) == []


def test_where_a_file_system_has_no_locks_the_folder_is_used_with_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def unavailable(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "lockf", unavailable)
    with claimed(tmp_path):
        assert not is_in_use(tmp_path)
    assert f"{tmp_path} cannot be locked" in caplog.text
    assert "No locks available" in caplog.text


def test_a_claim_is_on_the_file_that_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever had the folder may remove the file after this process has opened it."""
    lock, opened = fcntl.lockf, []

    def lock_as_another_leaves(file: TextIO, how: int) -> None:
        opened.append(os.fstat(file.fileno()).st_ino)
        if len(opened) == 1:
            Path(file.name).rename(tmp_path / "removed")
        lock(file, how)

    monkeypatch.setattr(fcntl, "lockf", lock_as_another_leaves)
    with claimed(tmp_path):
        (own,) = {*tmp_path.iterdir()} - {tmp_path / "removed"}
        assert own.stat().st_ino == opened[1]
        assert own.read_text().startswith(f"process {os.getpid()} ")


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.slow
@pytest.mark.parametrize("typed", [[], ["continue_run=true"], ["seed=5", "continue_run=true"]])
def test_a_second_start_leaves_the_first_one_s_files_alone(
    tmp_path: Path, typed: list[str]
) -> None:
    write_small_store(tmp_path / "store")
    run_dir = tmp_path / "run"
    script = [sys.executable, str(REPO_DIR / "train.py"), *SMALL_RUN, "trainer.max_epochs=1"]
    script += [f"data.store_dir={tmp_path / 'store'}", f"hydra.run.dir={run_dir}"]
    with other_process(run_dir):
        before = contents(run_dir)
        done = subprocess.run(
            [*script, *typed], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert contents(run_dir) == before
    assert done.returncode == 1
    assert f"{run_dir} is in use" in done.stderr
    assert "Traceback" not in done.stderr
    assert subprocess.run(script, cwd=tmp_path, capture_output=True, check=False).returncode == 0
    snapshot = read_snapshot(run_dir)
    assert snapshot["status"] == "finished"
    assert not (run_dir / ".hydra").exists()
    # A third start without a word is refused as well, and a finished run's files stay.
    before = contents(run_dir)
    done = subprocess.run(script, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "continue_run=true" in done.stderr
    assert contents(run_dir) == before
