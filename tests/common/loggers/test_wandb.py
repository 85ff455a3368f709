"""A W&B run that ends early, is disabled or cannot begin leaves nothing open."""

from pathlib import Path
from typing import Any

import pytest
import wandb
from builders.logged_run import OFFLINE, config_of
from builders.offline_wandb import offline_runs
from builders.small_training import one_thread
from builders.train_configs import train_config

from common.config.instantiate import build
from common.loggers.dashboard import log_end, log_start
from common.loggers.wandb import RECORD, WandbRunLogger
from common.runs.run import fit_and_test
from gazepose.training.module import EyeContactModule


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
    with pytest.raises(ValueError, match=r"No API key .*`wandb login`.*logger\."):
        log_start([logger], {"seed": 0})
    log_end([logger], "failed", {})


def test_loggers_without_a_run_are_closed_in_peace() -> None:
    config = train_config("model=flame", "data=columbiagaze", "logger=wandb")
    log_end([build(config["logger"]["wandb"])], "failed", {})


def test_a_start_that_goes_on_in_the_folder_goes_on_in_wandb(work_dir: Path) -> None:
    folder = work_dir / "goes_on"
    typed = [*OFFLINE, "test=false", "callbacks.pictures=null", "trainer.log_every_n_steps=1"]
    typed += ["+trainer.limit_train_batches=2", "+trainer.limit_val_batches=2"]
    for max_epochs in (1, 2):
        last = folder / "checkpoints" / "last.ckpt"
        ckpt_path = [f"ckpt_path={last}"] if last.is_file() else []
        longer = [f"trainer.max_epochs={max_epochs}", "model.module.scheduler.T_max=2"]
        config = config_of(work_dir, folder, *typed, *longer, *ckpt_path)
        with one_thread():
            fit_and_test(config, {}, folder)
    runs = offline_runs(folder)
    # Within one second, the folder of the second ends in -1.
    ids = {run.folder.name.split("-")[3] for run in runs}
    assert (len(runs), len(ids)) == (2, 1)
    before, after = ([row["_step"] for row in run.history] for run in runs)
    assert max(before) < min(after)
    # Another folder's is another run.
    config = config_of(work_dir, work_dir / "other", *typed, "trainer.max_epochs=1")
    with one_thread():
        fit_and_test(config, {}, work_dir / "other")
    (other,) = offline_runs(work_dir / "other")
    assert other.folder.name.split("-")[3] not in ids


def test_online_the_same_run_is_resumed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, Any]] = []

    def refuse(**settings: Any) -> None:
        asked.append(settings)
        raise wandb.errors.CommError("no network")

    monkeypatch.setattr(wandb, "init", refuse)
    (tmp_path / RECORD).write_text('{"id": "abc", "num_starts": 1}')
    for typed in ({}, {"id": "mine"}):
        logger = WandbRunLogger(save_dir=str(tmp_path), project="p", **typed)
        with pytest.raises(ValueError, match="no network"):
            log_start([logger], {"seed": 0})
    assert [(one["id"], one["resume"]) for one in asked] == [("abc", "allow"), ("mine", None)]
