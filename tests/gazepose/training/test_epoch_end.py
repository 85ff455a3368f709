"""Validation inside epochs that its interval does not divide: where an epoch ends there is one."""

from pathlib import Path

import polars as pl
import pytest
import torch
from builders.small_lam_training import train_here
from pytorch_lightning import LightningModule

from common.runs.snapshot import read_snapshot
from common.training.checkpoints.reading import read_checkpoint
from gazepose.training.module import EyeContactModule

NUM_BATCHES = 12
TWO_EPOCHS = ["trainer.max_epochs=2", "test=false", "callbacks.pictures=null"]
EVERY_FIVE = [*TWO_EPOCHS, "trainer.val_check_interval=5"]


@pytest.fixture(scope="module")
def unbroken(training_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run_dir = tmp_path_factory.mktemp("epochs") / "unbroken"
    train_here("gazelstm", training_store, run_dir, *EVERY_FIVE)
    return run_dir


def validated_steps(run_dir: Path) -> list[int]:
    """Return how many batches lie behind each validation of a run's only start."""
    table = pl.read_csv(run_dir / "csv" / "version_0" / "metrics.csv")
    return (table.filter(pl.col("val/map").is_not_null())["step"] + 1).to_list()


def test_every_epochs_end_is_validated_once(unbroken: Path) -> None:
    assert validated_steps(unbroken) == [5, 10, 12, 17, 22, 24]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("interval", "expected"),
    [("0.45", [5, 10, 12, 17, 22, 24]), ("6", [6, 12, 18, 24]), ("1.0", [12, 24])],
)
def test_every_epochs_end_is_validated_once_at_other_intervals(
    training_store: Path, tmp_path: Path, interval: str, expected: list[int]
) -> None:
    typed = [*TWO_EPOCHS, f"trainer.val_check_interval={interval}"]
    train_here("gazelstm", training_store, tmp_path / "run", *typed)
    assert validated_steps(tmp_path / "run") == expected


@pytest.mark.slow
def test_epochs_without_validation_stay_without(training_store: Path, tmp_path: Path) -> None:
    typed = [*EVERY_FIVE, "trainer.check_val_every_n_epoch=2"]
    train_here("gazelstm", training_store, tmp_path / "run", *typed)
    assert validated_steps(tmp_path / "run") == [17, 22, 24]


def rate_by_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the number of steps the metric of validation."""

    def log(module: LightningModule) -> None:
        module.log("val/map", float(module.global_step))

    def validate(module: LightningModule, batch: object, batch_idx: int) -> None:
        """Leave the metric to what follows."""

    monkeypatch.setattr(EyeContactModule, "validation_step", validate)
    monkeypatch.setattr(EyeContactModule, "on_validation_epoch_end", log)


def test_the_final_weights_can_be_the_best(
    training_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rate_by_steps(monkeypatch)
    metrics = train_here("gazelstm", training_store, tmp_path / "run", *EVERY_FIVE)
    assert metrics["best_val/map"] == 2 * NUM_BATCHES
    best = read_checkpoint(tmp_path / "run" / "checkpoints" / "best.ckpt")
    assert best["global_step"] == 2 * NUM_BATCHES


@pytest.mark.parametrize("batch", [7, pytest.param(11, marks=pytest.mark.slow)])
def test_interrupted_inside_an_epoch_and_continued(
    training_store: Path,
    tmp_path: Path,
    unbroken: Path,
    monkeypatch: pytest.MonkeyPatch,
    batch: int,
) -> None:
    """After a validation inside the second epoch, or the last one before its end."""

    def interrupt(module: EyeContactModule, _: object, batch_idx: int) -> None:
        if (module.current_epoch, batch_idx) == (1, batch):
            raise KeyboardInterrupt

    run_dir, typed = tmp_path / "run", [*EVERY_FIVE, "continue_run=true"]
    with monkeypatch.context() as patch:
        patch.setattr(EyeContactModule, "on_train_batch_start", interrupt)
        with pytest.raises(SystemExit):
            train_here("gazelstm", training_store, run_dir, *typed)
    found = train_here("gazelstm", training_store, run_dir, *typed)
    assert found == read_snapshot(unbroken)["metrics"]
    for name in ("best.ckpt", "last.ckpt"):
        paths = [folder / "checkpoints" / name for folder in (run_dir, unbroken)]
        ended, expected = map(read_checkpoint, paths)
        assert ended["global_step"] == expected["global_step"]
        for key, value in expected["state_dict"].items():
            assert torch.equal(ended["state_dict"][key], value), key


@pytest.mark.slow
def test_a_longer_training_goes_on_exactly(training_store: Path, tmp_path: Path) -> None:
    """From the end of an epoch; its learning rates are those of the longer one."""
    typed = ["trainer.val_check_interval=5", "model.module.scheduler.T_max=3", "test=false"]
    typed += ["callbacks.pictures=null"]
    train_here("gazelstm", training_store, tmp_path / "run", *TWO_EPOCHS, *typed)
    last = tmp_path / "run" / "checkpoints" / "last.ckpt"
    found = train_here("gazelstm", training_store, tmp_path / "run", *typed, f"ckpt_path={last}")
    assert found == train_here("gazelstm", training_store, tmp_path / "unbroken", *typed)


@pytest.mark.parametrize(
    ("interval", "is_exact"), [("5", False), pytest.param("1.0", True, marks=pytest.mark.slow)]
)
def test_only_where_an_epoch_ended_can_a_run_go_on(
    training_store: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    interval: str,
    is_exact: bool,
) -> None:
    """The first validation is the best one: inside the first epoch, or at its end."""
    rate_by_steps(monkeypatch)
    typed = [*TWO_EPOCHS, "model.metric_mode=min", f"trainer.val_check_interval={interval}"]
    run_dir = tmp_path / "run"
    found = train_here("gazelstm", training_store, run_dir, *typed)
    best, last = (run_dir / "checkpoints" / name for name in ("best.ckpt", "last.ckpt"))
    assert [read_checkpoint(path)["epoch"] for path in (best, last)] == [0, 1]
    if is_exact:
        again = train_here("gazelstm", training_store, run_dir, *typed, f"ckpt_path={best}")
        assert again == found
        return
    with pytest.raises(ValueError, match=rf"ckpt_path={best}.*ckpt_path={last}"):
        train_here("gazelstm", training_store, run_dir, *typed, f"ckpt_path={best}")
