"""Debug configs and W&B do what they say, on the small store."""

import json
from pathlib import Path

import polars as pl
import pytest
from builders.small_training import train_here


def status(run_dir: Path) -> str:
    return json.loads((run_dir / "run.json").read_text())["status"]


def names(run_dir: Path) -> list[str]:
    return sorted(path.name for path in run_dir.iterdir())


def test_fast_runs_a_batch_of_everything_and_keeps_no_weights(
    store_dir: Path, tmp_path: Path
) -> None:
    metrics = train_here(store_dir, tmp_path, "debug=fast")
    assert "test/angular_error_deg" in metrics
    assert status(tmp_path) == "finished"
    assert names(tmp_path) == ["run.json", "test"]


def test_overfit_learns_a_batch_by_heart(store_dir: Path, tmp_path: Path) -> None:
    settings = ["trainer.max_epochs=40", "model.hidden=16", "model.dropout=0"]
    settings += ["model.learning_rate=0.001", "model.module.scheduler.milestones=[100]"]
    train_here(store_dir, tmp_path, "debug=overfit", *settings)
    logged = pl.read_csv(tmp_path / "csv" / "version_0" / "metrics.csv")
    losses = logged["train/loss"].drop_nulls().to_list()
    assert len(losses) == 40
    assert losses[-1] < 0.02 * losses[0]
    assert names(tmp_path) == ["csv", "run.json"]


def test_profile_times_the_steps(
    store_dir: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO"):
        train_here(store_dir, tmp_path, "debug=profile")
    assert "run_training_batch" in caplog.text
    assert names(tmp_path) == ["run.json"]


@pytest.mark.parametrize(("rate", "is_lost"), [(0.1, True), (1e-4, False)])
def test_a_training_whose_gazes_lie_all_around_the_circle_is_told(
    store_dir: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, rate: float, is_lost: bool
) -> None:
    metrics = train_here(store_dir, tmp_path, "trainer.max_epochs=1", f"model.learning_rate={rate}")
    assert (metrics["val/angular_error_deg"] > 60) == is_lost
    assert ("RAdam" in caplog.text) == is_lost


@pytest.mark.slow
def test_wandb_works_offline(
    store_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_MODE", "offline")
    offline = ["logger=wandb", "logger.wandb.offline=true", "trainer.max_epochs=1"]
    for name in ("first", "second"):
        train_here(store_dir, tmp_path / name, *offline)
        assert status(tmp_path / name) == "finished"
        # One a run, in its own folder: the first one was closed.
        assert len(list((tmp_path / name / "wandb").glob("offline-run-*"))) == 1
