"""Training as a user starts it: resumes exactly, repeats exactly, records what it did."""

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
from builders.several_processes import logged
from builders.small_store import write_small_store
from builders.small_training import REPO_DIR, SMALL_RUN, composed, train_here

from common.prediction.command import predict
from common.runs.snapshot import add_to_snapshot
from common.training.checkpoints.reading import read_checkpoint
from flame.training.module import GazeAngleModule


@pytest.fixture(scope="module")
def work_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("training")
    write_small_store(folder / "store")
    return folder


def train(work_dir: Path, run_name: str, *overrides: str) -> dict[str, float]:
    metrics = train_here(work_dir / "store", work_dir / run_name, *overrides)
    assert metrics_of(work_dir / run_name) == metrics
    return metrics


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


def test_the_same_seed_gives_the_same_numbers_with_loader_processes_too(
    work_dir: Path, unbroken: dict[str, float]
) -> None:
    two_epochs = ["trainer.max_epochs=2", "test=false"]
    train(work_dir, "workers", "data.datamodule.num_workers=1", *two_epochs)
    found = logged(work_dir / "workers")
    assert sum("train/loss" in row for row in found) == 2
    assert found == logged(work_dir / "unbroken")[: len(found)]


def test_another_seed_gives_other_metrics(work_dir: Path, unbroken: dict[str, float]) -> None:
    train(work_dir, "other", "seed=1", "trainer.max_epochs=1", "test=false")
    first, other = (
        next(row["train/loss"] for row in logged(work_dir / name) if "train/loss" in row)
        for name in ("unbroken", "other")
    )
    assert other != first


def test_the_test_is_of_the_best_epoch(work_dir: Path, unbroken: dict[str, float]) -> None:
    rows = logged(work_dir / "unbroken")
    errors = [row["val/angular_error_deg"] for row in rows if "val/angular_error_deg" in row]
    assert len(errors) == 4
    assert unbroken["best_val/angular_error_deg"] == pytest.approx(min(errors), rel=1e-6)
    overrides = [f"run={work_dir / 'unbroken'}", "split=test", f"output_dir={work_dir / 'again'}"]
    predict(composed("predict", *overrides, "paths.run_dir=x"))
    (table,) = (work_dir / "again").glob("*mmtm-fusion.csv")
    mean_deg = pl.read_csv(table)["loss_3d"].mean()
    assert mean_deg == pytest.approx(unbroken["test/angular_error_deg"], abs=1e-4)


def test_a_folder_with_a_run_is_not_written_over(
    work_dir: Path, unbroken: dict[str, float]
) -> None:
    with pytest.raises(ValueError, match=r"unbroken.*continue_run=true"):
        train(work_dir, "unbroken")


def test_a_run_is_not_resumed_on_other_data(work_dir: Path, unbroken: dict[str, float]) -> None:
    last = f"ckpt_path={work_dir / 'unbroken' / 'checkpoints' / 'last.ckpt'}"
    before = (work_dir / "unbroken" / "run.json").read_bytes()
    with pytest.raises(ValueError, match="split, table_sha256"):
        train(work_dir, "unbroken", last, "data.datamodule.split_seed=5")
    assert (work_dir / "unbroken" / "run.json").read_bytes() == before


def test_a_run_is_not_tested_on_its_own_data_divided_otherwise(
    work_dir: Path, unbroken: dict[str, float]
) -> None:
    overrides = [f"run={work_dir / 'unbroken'}", "split=test", "paths.run_dir=x"]
    other = ["data=columbiagaze", f"data.store_dir={work_dir / 'store'}"]
    other += ["data.datamodule.split=cross_person", "data.datamodule.split_seed=5"]
    with pytest.raises(ValueError, match=r"seed5.*data="):
        predict(composed("predict", *overrides, *other))


def test_a_second_start_replaces_checkpoints_of_a_killed_first_one(work_dir: Path) -> None:
    """A best.ckpt without a last.ckpt is what a kill inside the first save leaves."""
    folder = work_dir / "restarted" / "checkpoints"
    short = ["trainer.max_epochs=1", "test=false"]
    train(work_dir, "restarted", *short)
    (folder / "last.ckpt").unlink()
    add_to_snapshot(work_dir / "restarted", status="running")
    train(work_dir, "restarted", *short, "continue_run=true")
    assert sorted(path.name for path in folder.iterdir()) == ["best.ckpt", "last.ckpt"]


def test_the_config_is_logged(work_dir: Path, unbroken: dict[str, float]) -> None:
    text = (work_dir / "unbroken" / "csv" / "version_0" / "hparams.yaml").read_text()
    assert "learning_rate: 0.01" in text


def test_the_test_table_is_in_the_order_of_the_data(
    work_dir: Path, unbroken: dict[str, float]
) -> None:
    table = pl.read_csv(work_dir / "unbroken/test/columbiagaze_columbiagaze_mmtm-fusion.csv")
    numbers = [int(name.split("_")[1]) for name in table["sample_id"]]
    assert table["index"].to_list() == list(range(8))
    assert numbers == list(range(8))
    assert table["eye"].to_list() == ["right", "left"] * 4
    assert table["loss_3d"].mean() == pytest.approx(unbroken["test/angular_error_deg"], abs=1e-4)


def test_a_run_that_fails_says_so(work_dir: Path) -> None:
    with pytest.raises(ValueError, match=r"ckpt_path=nowhere\.ckpt"):
        train(work_dir, "failed", "ckpt_path=nowhere.ckpt")
    snapshot = json.loads((work_dir / "failed" / "run.json").read_text())
    assert (snapshot["status"], snapshot["metrics"]) == ("failed", {})


def test_interrupted_twice_moved_and_continued_ends_like_one_never_interrupted(
    work_dir: Path, unbroken: dict[str, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """First between two epochs, then before the test."""

    def interrupt(module: GazeAngleModule) -> None:
        if module.current_epoch >= 2:
            raise KeyboardInterrupt

    run_dir = work_dir / "interrupted"
    for hook in ("on_train_epoch_start", "on_test_start"):
        with monkeypatch.context() as patch:
            patch.setattr(GazeAngleModule, hook, interrupt)
            with pytest.raises(SystemExit):
                train(work_dir, "interrupted", "continue_run=true")
        assert json.loads((run_dir / "run.json").read_text())["status"] == "interrupted"
    moved = run_dir.rename(work_dir / "moved")
    # No process has such a number (4711 was once alive).
    (moved / "checkpoints" / ".last.99999999.ckpt").write_bytes(b"half")
    assert train(work_dir, "moved", "continue_run=true") == unbroken
    names = {path.name for path in (moved / "checkpoints").iterdir()}
    assert names == {"best.ckpt", "last.ckpt"}


def test_a_finished_run_is_left_as_it_is(work_dir: Path, unbroken: dict[str, float]) -> None:
    snapshot = (work_dir / "unbroken" / "run.json").read_bytes()
    assert train(work_dir, "unbroken", "continue_run=true") == unbroken
    assert (work_dir / "unbroken" / "run.json").read_bytes() == snapshot
    with pytest.raises(ValueError, match=r"unbroken.*seed=0 \(now 1\)"):
        train(work_dir, "unbroken", "continue_run=true", "seed=1")


def script(work_dir: Path, *overrides: str) -> tuple[list[str], dict[str, str]]:
    """Arguments of train.py as a user types them, and an environment with one thread, as here."""
    arguments = [*SMALL_RUN, f"data.store_dir={work_dir / 'store'}", *overrides]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    return [str(REPO_DIR / "train.py"), *arguments], environment


@pytest.mark.slow
def test_killed_inside_an_epoch_and_resumed_ends_like_one_never_killed(
    work_dir: Path, unbroken: dict[str, float]
) -> None:
    run_dir = work_dir / "killed"
    last = run_dir / "checkpoints" / "last.ckpt"
    # Slow batches, so that the kill falls inside the second epoch or a later one.
    arguments, environment = script(work_dir, f"hydra.run.dir={run_dir}")
    slow = subprocess.Popen(
        [sys.executable, "-c", SLOW_TRAIN, *arguments],
        cwd=work_dir, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    while not last.exists():
        assert slow.poll() is None, "the run ended before its first checkpoint"
        time.sleep(0.05)
    time.sleep(0.5)
    os.kill(slow.pid, signal.SIGKILL)
    slow.wait()
    assert read_checkpoint(last)["epoch"] < 3, "the kill fell inside an epoch"
    assert json.loads((run_dir / "run.json").read_text())["status"] == "running"

    # Without a run folder: the checkpoint tells it.
    arguments, environment = script(work_dir, f"ckpt_path={last}")
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=work_dir, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert metrics_of(run_dir) == unbroken
    assert len(json.loads((run_dir / "run.json").read_text())["starts"]) == 2


# Runs train.py with a pause after every training batch.
SLOW_TRAIN = """
import runpy, sys, time
from flame.training.module import GazeAngleModule
GazeAngleModule.on_train_batch_end = lambda self, *_: time.sleep(0.4)
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""
