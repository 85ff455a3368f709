"""Validation inside epochs that its interval does not divide: where an epoch ends there is one."""

from pathlib import Path

import polars as pl
import pytest
import torch
from builders.small_lam_training import train_here, write_store
from pytorch_lightning import LightningModule

from common.training.checkpoints.reading import read_checkpoint
from gazepose.training.module import EyeContactModule

NUM_BATCHES = 12
TWO_EPOCHS = ["trainer.max_epochs=2", "test=false"]


@pytest.fixture(scope="module")
def store_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("epochs") / "store"
    write_store(folder)
    return folder


def validated_steps(run_dir: Path) -> list[int]:
    """Return how many batches lie behind each validation of a run's only start."""
    table = pl.read_csv(run_dir / "csv" / "version_0" / "metrics.csv")
    return (table.filter(pl.col("val/map").is_not_null())["step"] + 1).to_list()


@pytest.mark.parametrize(
    ("interval", "expected"),
    [
        ("5", [5, 10, 12, 17, 22, 24]),
        pytest.param("0.45", [5, 10, 12, 17, 22, 24], marks=pytest.mark.slow),
        pytest.param("6", [6, 12, 18, 24], marks=pytest.mark.slow),
        pytest.param("1.0", [12, 24], marks=pytest.mark.slow),
    ],
)
def test_every_epochs_end_is_validated_once(
    store_dir: Path, tmp_path: Path, interval: str, expected: list[int]
) -> None:
    typed = [*TWO_EPOCHS, f"trainer.val_check_interval={interval}"]
    train_here("gazelstm", store_dir, tmp_path / "run", *typed)
    assert validated_steps(tmp_path / "run") == expected


@pytest.mark.slow
def test_epochs_without_validation_stay_without(store_dir: Path, tmp_path: Path) -> None:
    typed = [*TWO_EPOCHS, "trainer.val_check_interval=5", "trainer.check_val_every_n_epoch=2"]
    train_here("gazelstm", store_dir, tmp_path / "run", *typed)
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
    store_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rate_by_steps(monkeypatch)
    typed = [*TWO_EPOCHS, "trainer.val_check_interval=5", "callbacks.pictures=null"]
    metrics = train_here("gazelstm", store_dir, tmp_path / "run", *typed)
    assert metrics["best_val/map"] == 2 * NUM_BATCHES
    best = read_checkpoint(tmp_path / "run" / "checkpoints" / "best.ckpt")
    assert best["global_step"] == 2 * NUM_BATCHES


@pytest.mark.slow
@pytest.mark.parametrize("batch", [7, 11])
def test_interrupted_inside_an_epoch_and_continued(
    store_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    def interrupt(module: EyeContactModule, _: object, batch_idx: int) -> None:
        if (module.current_epoch, batch_idx) == (1, batch):
            raise KeyboardInterrupt

    typed = [*TWO_EPOCHS, "trainer.val_check_interval=5", "continue_run=true"]
    with monkeypatch.context() as patch:
        patch.setattr(EyeContactModule, "on_train_batch_start", interrupt)
        with pytest.raises(SystemExit):
            train_here("gazelstm", store_dir, tmp_path / "run", *typed)
    found = train_here("gazelstm", store_dir, tmp_path / "run", *typed)
    assert found == train_here("gazelstm", store_dir, tmp_path / "unbroken", *typed)
    for name in ("best.ckpt", "last.ckpt"):
        paths = [tmp_path / run / "checkpoints" / name for run in ("run", "unbroken")]
        ended, expected = map(read_checkpoint, paths)
        assert ended["global_step"] == expected["global_step"]
        for key, value in expected["state_dict"].items():
            assert torch.equal(ended["state_dict"][key], value), key


@pytest.mark.slow
def test_a_longer_training_goes_on_exactly(store_dir: Path, tmp_path: Path) -> None:
    """From the end of an epoch; its learning rates are those of the longer one."""
    typed = ["trainer.val_check_interval=5", "model.module.scheduler.T_max=3", "test=false"]
    train_here("gazelstm", store_dir, tmp_path / "run", *TWO_EPOCHS, *typed)
    last = tmp_path / "run" / "checkpoints" / "last.ckpt"
    found = train_here("gazelstm", store_dir, tmp_path / "run", *typed, f"ckpt_path={last}")
    assert found == train_here("gazelstm", store_dir, tmp_path / "unbroken", *typed)


@pytest.mark.parametrize(
    ("interval", "is_exact"), [("5", False), pytest.param("1.0", True, marks=pytest.mark.slow)]
)
def test_only_where_an_epoch_ended_can_a_run_go_on(
    store_dir: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    interval: str,
    is_exact: bool,
) -> None:
    """The first validation is the best one: inside the first epoch, or at its end."""
    rate_by_steps(monkeypatch)
    typed = ["model.metric_mode=min", f"trainer.val_check_interval={interval}", "test=false"]
    typed += ["callbacks.pictures=null"]
    found = train_here("gazelstm", store_dir, tmp_path / "run", *typed)
    best = tmp_path / "run" / "checkpoints" / "best.ckpt"
    if is_exact:
        again = train_here("gazelstm", store_dir, tmp_path / "run", *typed, f"ckpt_path={best}")
        assert again == found
        return
    message = rf"best\.ckpt was saved inside an epoch.*type ckpt_path={best.with_name('last.ckpt')}"
    with pytest.raises(ValueError, match=message):
        train_here("gazelstm", store_dir, tmp_path / "run", *typed, f"ckpt_path={best}")
