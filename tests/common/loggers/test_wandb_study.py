"""W&B runs of a study as a user starts it: one a job, also of a job that Ctrl-C ends."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from builders.offline_wandb import offline_runs
from builders.small_lam_training import overrides_of, write_store
from builders.small_training import REPO_DIR

pytestmark = pytest.mark.slow
TYPED = [
    *("sweeps=table4", "ablations=temporal_none,temporal_uniform", "seed=0"),
    *("logger=wandb", "logger.wandb.offline=true", "callbacks.pictures.num_samples=2"),
]


@pytest.fixture
def store_dir(tmp_path: Path) -> Path:
    write_store(tmp_path / "store")
    return tmp_path / "store"


def start(work_dir: Path, store_dir: Path, *typed: str) -> subprocess.Popen[str]:
    """Start ``train.py`` in a process group of its own, as a shell does."""
    # Lightning has a process ignore Ctrl-C once it interrupted a training, as other tests of this
    # process may have; what it starts would, too.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "PYTHONFAULTHANDLER": "1",
        "WANDB_DATA_DIR": str(work_dir / "staging"),
    }
    environment.pop("WANDB_MODE", None)
    command = [sys.executable, str(REPO_DIR / "train.py"), *overrides_of("gazepose", store_dir)]
    return subprocess.Popen(
        [*command, f"paths.runs_dir={work_dir / 'runs'}", *TYPED, *typed],
        cwd=work_dir, env=environment, text=True, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip


def interrupted(study: subprocess.Popen[str]) -> str:
    """Press Ctrl-C; return what was said.

    In 2 of 13 runs the first one was lost somewhere in a library and the training went on; one
    presses again, then.
    """
    for _ in range(3):
        os.killpg(study.pid, signal.SIGINT)
        try:
            return study.communicate(timeout=60)[1]
        except subprocess.TimeoutExpired:
            continue
    study.send_signal(signal.SIGABRT)  # says where each thread is
    pytest.fail(f"three times Ctrl-C did not end the study: {study.communicate()[1]}")


def test_every_job_of_a_study_is_a_run_of_its_own(tmp_path: Path, store_dir: Path) -> None:
    study = start(tmp_path, store_dir, "trainer.max_epochs=1")
    said = study.communicate()[1]
    assert study.returncode == 0, said
    ids = set()
    for row in ("temporal_none", "temporal_uniform"):
        run_dir = tmp_path / "runs" / "table4" / f"{row}_seed0"
        (run,) = offline_runs(run_dir)
        assert (run.name, run.group, run.job_type) == (f"{row}_seed0", "table4", row)
        assert (run.exit_code, run.summary["status"]) == (0, "finished")
        recorded = json.loads((run_dir / "run.json").read_text())
        config = {name: value for name, value in run.config.items() if name in recorded["config"]}
        assert config == recorded["config"]
        test_map = run.scalars()["test/map"]
        assert [value for _, value in test_map] == [pytest.approx(recorded["metrics"]["test/map"])]
        assert set(run.media("images/separated")) >= {"val/samples", "val/decisions", "test/figure"}
        ids.add(run.folder.name.split("-")[3])
    assert len(ids) == 2


def test_ctrl_c_closes_the_run_with_an_exit_code(tmp_path: Path, store_dir: Path) -> None:
    study = start(tmp_path, store_dir, "trainer.max_epochs=10000")
    run_dir = tmp_path / "runs" / "table4" / "temporal_none_seed0"
    while not (run_dir / "checkpoints" / "last.ckpt").exists():
        assert study.poll() is None, study.communicate()[1]
        time.sleep(0.1)
    said = interrupted(study)
    assert study.returncode != 0, said
    assert json.loads((run_dir / "run.json").read_text())["status"] == "interrupted"
    (run,) = offline_runs(run_dir)
    assert (run.exit_code, run.summary["status"]) == (1, "interrupted")
    assert run.scalars()["val/map"]
    # It ends the study, not only its job.
    assert not (tmp_path / "runs" / "table4" / "temporal_uniform_seed0").exists()
