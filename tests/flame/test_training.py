"""Training as a user starts it: resumes exactly, repeats exactly, records what it did."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from small_store import write_small_store

REPO_DIR = Path(__file__).parents[2]
SMALL_RUN = [
    "model=flame",
    "data=columbiagaze",
    "data.datamodule.split=cross_person",
    "data.datamodule.split_fractions=[0.5,0.25,0.25]",
    "data.datamodule.num_workers=0",
    "data.datamodule.batch_size=4",
    "model.width=2",
    "model.hidden=8",
    "model.learning_rate=0.01",
    "model.module.scheduler.milestones=[2,3]",
    "trainer.max_epochs=4",
    "trainer.enable_progress_bar=false",
    "trainer.accelerator=cpu",
]


@pytest.fixture(scope="module")
def work_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("training")
    write_small_store(folder / "store")
    return folder


def command(work_dir: Path, run_name: str, *overrides: str) -> list[str]:
    return [
        sys.executable,
        str(REPO_DIR / "train.py"),
        *SMALL_RUN,
        f"data.store_dir={work_dir / 'store'}",
        f"hydra.run.dir={work_dir / run_name}",
        *overrides,
    ]


def train(work_dir: Path, run_name: str, *overrides: str) -> dict[str, float]:
    done = subprocess.run(
        command(work_dir, run_name, *overrides),
        cwd=work_dir, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return metrics_of(work_dir / run_name)


def metrics_of(run_dir: Path) -> dict[str, float]:
    snapshot = json.loads((run_dir / "run.json").read_text())
    assert snapshot["status"] == "finished"
    return snapshot["metrics"]


@pytest.fixture(scope="module")
def unbroken(work_dir: Path) -> dict[str, float]:
    return train(work_dir, "unbroken")


def test_a_run_reports_validation_and_test_errors(unbroken: dict[str, float]) -> None:
    assert {"val/angular_error_deg", "test/angular_error_deg", "train/loss"} <= set(unbroken)
    assert all(np.isfinite(value) for value in unbroken.values())


def test_the_same_seed_gives_the_same_metrics(work_dir: Path, unbroken: dict[str, float]) -> None:
    assert train(work_dir, "again") == unbroken


def test_another_seed_gives_other_metrics(work_dir: Path, unbroken: dict[str, float]) -> None:
    assert train(work_dir, "other", "seed=1")["train/loss"] != unbroken["train/loss"]


def test_killed_inside_an_epoch_and_resumed_ends_like_one_never_killed(
    work_dir: Path, unbroken: dict[str, float]
) -> None:
    run_dir = work_dir / "killed"
    last = run_dir / "checkpoints" / "last.ckpt"
    # Slow batches, so that the kill falls inside the second epoch or a later one.
    slow = subprocess.Popen(
        [sys.executable, "-c", SLOW_TRAIN, *command(work_dir, "killed")[1:]],
        cwd=work_dir, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    while not last.exists():
        assert slow.poll() is None, "the run ended before its first checkpoint"
        time.sleep(0.05)
    time.sleep(0.5)
    os.kill(slow.pid, signal.SIGKILL)
    slow.wait()
    assert json.loads((run_dir / "run.json").read_text())["status"] == "running"

    resumed = [f"ckpt_path={last}"]
    done = subprocess.run(
        [*command(work_dir, "unused", *resumed)[:-2], *resumed],
        cwd=work_dir, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert metrics_of(run_dir) == unbroken
    assert len(json.loads((run_dir / "run.json").read_text())["starts"]) == 2


# Runs train.py with a pause after every training batch.
SLOW_TRAIN = """
import runpy, sys, time
from flame.module import GazeAngleModule
GazeAngleModule.on_train_batch_end = lambda self, *_: time.sleep(0.4)
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def test_the_test_table_is_in_the_order_of_the_data(
    work_dir: Path, unbroken: dict[str, float]
) -> None:
    table = pl.read_csv(work_dir / "unbroken/test/columbiagaze_columbiagaze_mmtm-fusion.csv")
    numbers = [int(name.split("_")[1]) for name in table["sample_id"]]
    assert table["index"].to_list() == list(range(8))
    assert numbers == list(range(8))
    assert table["eye"].to_list() == ["right", "left"] * 4
    assert table["loss_3d"].mean() == pytest.approx(unbroken["test/angular_error_deg"], abs=1e-4)
