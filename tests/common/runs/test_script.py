"""A script ends at SIGTERM as it should, and says a user's mistake without a traceback."""

import runpy
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from builders.small_store import write_small_store
from builders.small_training import REPO_DIR, SMALL_RUN
from builders.train_script import train_script_here
from hydra.errors import CompactHydraException

from common.runs.snapshot import read_snapshot

SCRIPT = """
import sys, time
from pathlib import Path
import hydra
from common.runs.script import run_script, script_task

@hydra.main(version_base="1.3", config_path="conf", config_name="small")
@script_task
def main(cfg):
    if cfg.mistake:
        raise ValueError("the value is " + cfg.mistake)
    try:
        Path("begun").touch()
        time.sleep(600)
    finally:
        Path("tidied").touch()

if __name__ == "__main__":
    run_script(main, "small")
"""


@pytest.fixture
def script(tmp_path: Path) -> list[str]:
    (tmp_path / "conf").mkdir()
    lines = [
        "defaults: [_self_, {group: null}]",
        "mistake: null",
        "hydra:",
        "  output_subdir: null",
    ]
    (tmp_path / "conf" / "small.yaml").write_text("\n".join(lines) + "\n")
    (tmp_path / "conf" / "group").mkdir()
    (tmp_path / "conf" / "group" / "one.yaml").write_text("option: 1\n")
    (tmp_path / "small.py").write_text(SCRIPT)
    return [sys.executable, "small.py", "hydra.run.dir=out"]


def ended_by_sigterm(command: list[str], folder: Path, begun: Path) -> int:
    """Exit status as a shell has it, of a command that gets SIGTERM once a file is there."""
    with subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True) as process:
        for _ in range(600):
            if begun.exists() or process.poll() is not None:
                break
            time.sleep(0.2)
        process.send_signal(signal.SIGTERM)
        said = process.communicate(timeout=120)[1]
    assert begun.exists(), said
    return process.returncode


def test_sigterm_ends_with_an_error_status_once_files_are_tidied(
    script: list[str], tmp_path: Path
) -> None:
    assert ended_by_sigterm(script, tmp_path, tmp_path / "begun") == 128 + signal.SIGTERM
    assert (tmp_path / "tidied").exists()


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("mistake=here", "the value is here"),
        ("mistake=\u6570 (1)='x'", "the value is \u6570 (1)='x'"),
        ("mistake=[\u6570", """type 'mistake="[\u6570"'"""),
        ("group.option=2", "group=NAME"),
    ],
)
def test_a_mistake_is_said_without_a_traceback(
    script: list[str],
    tmp_path: Path,
    typed: str,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    with train_script_here(monkeypatch, tmp_path / script[1]) as run:
        assert run(*script[2:], typed) == 1
    found = capsys.readouterr().err
    assert said in found
    assert "Traceback" not in found


def test_a_mistake_is_said_with_a_traceback_if_hydra_is_to_show_one(
    script: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
    with (
        train_script_here(monkeypatch, tmp_path / script[1]) as run,
        pytest.raises(CompactHydraException, match="the value is here"),
    ):
        run(*script[2:], "mistake=here")


@pytest.mark.slow
def test_a_training_that_gets_sigterm_is_interrupted_and_goes_on(tmp_path: Path) -> None:
    write_small_store(tmp_path / "store")
    run_dir = tmp_path / "run"
    command = [sys.executable, str(REPO_DIR / "train.py"), *SMALL_RUN, "trainer.max_epochs=2000"]
    command += [f"data.store_dir={tmp_path / 'store'}", f"hydra.run.dir={run_dir}"]
    command += ["callbacks.pictures=null"]
    last = run_dir / "checkpoints" / "last.ckpt"
    assert ended_by_sigterm(command, tmp_path, last) == 128 + signal.SIGTERM
    assert read_snapshot(run_dir)["status"] == "interrupted"
    again = [*command, "continue_run=true"]
    done = subprocess.Popen(again, cwd=tmp_path, stderr=subprocess.DEVNULL)
    for _ in range(600):
        if len(read_snapshot(run_dir)["starts"]) == 2 or done.poll() is not None:
            break
        time.sleep(0.2)
    done.terminate()
    assert done.wait(120) == 128 + signal.SIGTERM
    assert read_snapshot(run_dir)["status"] == "interrupted"


@pytest.mark.parametrize(
    "typed",
    [
        "common.report NONE",
        "gazepose.ensembling NONE NONE --out x",
        "gazepose.submission NONE.csv x.json",
    ],
)
def test_behind_python_m_what_is_the_users_to_mend_is_the_last_line(
    monkeypatch: pytest.MonkeyPatch, typed: str
) -> None:
    module, *arguments = typed.split()
    monkeypatch.setattr(sys, "argv", ["python -m", *arguments])
    monkeypatch.delitem(sys.modules, f"{module}.__main__", raising=False)
    with pytest.raises(SystemExit) as ended:
        runpy.run_module(module, run_name="__main__")
    assert "NONE" in str(ended.value.code)
