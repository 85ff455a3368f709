"""A W&B run that ends early, is disabled or cannot begin leaves nothing open."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import wandb
from builders.logged_run import OFFLINE, config_of, staged_in
from builders.offline_wandb import offline_runs
from builders.small_lam_run import write_store
from builders.small_run import composed, one_thread

from common.config.instantiate import build
from common.loggers.dashboard import log_end, log_start
from common.loggers.wandb import WandbRunLogger
from common.runs.run import fit_and_test
from gazepose.training.module import EyeContactModule


@pytest.fixture(scope="module", autouse=True)
def staging(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with staged_in(tmp_path_factory.mktemp("staging")):
        yield


@pytest.fixture(scope="module")
def work_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wandb_run")
    write_store(folder / "store")
    return folder


@pytest.mark.parametrize(
    ("error", "status"), [(KeyboardInterrupt, "interrupted"), (OSError, "failed")]
)
def test_a_run_that_ends_early_is_closed_with_an_exit_code(
    work_dir: Path, monkeypatch: pytest.MonkeyPatch, error: type[BaseException], status: str
) -> None:
    def stop(module: EyeContactModule, batch: Any, batch_idx: int) -> None:
        raise error

    folder = work_dir / status
    monkeypatch.setattr(EyeContactModule, "on_train_batch_start", stop)
    config = config_of(work_dir, folder, *OFFLINE)
    with pytest.raises((SystemExit, OSError)), one_thread():
        fit_and_test(config, {}, folder)
    (run,) = offline_runs(folder)
    assert (run.name, run.exit_code, run.summary["status"]) == (status, 1, status)
    assert (run.group, run.job_type, run.artifacts) == ("", "", [])


def test_disabled_leaves_nothing(work_dir: Path) -> None:
    folder = work_dir / "disabled"
    typed = ["logger=wandb", "logger.wandb.mode=disabled", "trainer.max_epochs=1", "test=false"]
    config = config_of(work_dir, folder, *typed, "callbacks.pictures=null")
    with one_thread():
        metrics = fit_and_test(config, {}, folder)
    assert "best_val/map" in metrics
    assert not (folder / "wandb").exists()
    assert not (folder / "pictures").exists()


def test_who_is_not_logged_in_is_told_what_to_type(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: Any) -> None:
        raise wandb.errors.UsageError("No API key configured..")

    monkeypatch.setattr(wandb, "init", refuse)
    logger = WandbRunLogger(save_dir=str(tmp_path), project="p")
    with pytest.raises(
        ValueError, match=r"No API key configured\. Type `wandb login`, or logger\."
    ):
        log_start([logger], {"seed": 0})
    log_end([logger], "failed", {})


def test_loggers_without_a_run_are_closed_in_peace() -> None:
    config = composed(
        "train", "model=flame", "data=columbiagaze", "paths.run_dir=x", "logger=wandb"
    )

    log_end([build(config["logger"]["wandb"])], "failed", {})
