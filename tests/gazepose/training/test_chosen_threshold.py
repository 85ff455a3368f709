"""The threshold that validation chooses: it goes with the checkpoint, into tests and videos."""

import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import torch
from builders.small_lam_training import predict_here, train_here
from builders.written_results import summary_of

from common.training.checkpoints.reading import read_checkpoint
from gazepose.evaluation.threshold import ThresholdRule

pytestmark = pytest.mark.usefixtures("_undrawn")
# One epoch leaves a net that is wrong now and then.
SHORT = ["trainer.max_epochs=2", "model.learning_rate=0.001", "callbacks.pictures=null"]
PRECISION = ["+model.module.threshold.rule=precision", "+model.module.threshold.precision=0.4"]


@pytest.fixture(scope="module")
def run_dir(training_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("threshold") / "run"
    train_here("gazelstm", training_store, folder, *SHORT, *PRECISION)
    return folder


def decisions(folder: Path) -> dict[str, Any]:
    return summary_of(folder)["at_threshold"]


def chosen_in(checkpoint: Path) -> dict[str, Any]:
    return read_checkpoint(checkpoint)["threshold"]


def test_it_is_the_best_one_of_the_best_checkpoints_validation(run_dir: Path) -> None:
    (path,) = (run_dir / "test").glob("*_predictions.parquet")
    table, rule = pl.read_parquet(path), ThresholdRule("precision", 0.4)
    expected = rule(table["score"].to_numpy(), table["label"].to_numpy())
    at = decisions(run_dir / "test")
    assert at["threshold"] == pytest.approx(expected, abs=1e-6)
    assert at["threshold"] != 0.5
    # The test after a training is of the samples that chose it.
    assert (at["rule"], at["is_chosen_here"]) == (rule.description, True)
    best = chosen_in(run_dir / "checkpoints" / "best.ckpt")
    assert best == {"value": at["threshold"], "rule": at["rule"]}


def test_a_run_is_tested_at_its_own(run_dir: Path) -> None:
    predict_here(f"run={run_dir}", "split=val")
    assert decisions(run_dir / "predict" / "ego4d_val") == decisions(run_dir / "test")
    # Labels of the training part, decided as validation says.
    predict_here(f"run={run_dir}", "split=train")
    at = decisions(run_dir / "predict" / "ego4d_train")
    assert at["threshold"] == decisions(run_dir / "test")["threshold"]
    assert at["chosen_on"] == "ego4d, val part"
    assert not at["is_chosen_here"]


def test_each_checkpoint_has_its_own(run_dir: Path, tmp_path: Path) -> None:
    last = run_dir / "checkpoints" / "last.ckpt"
    predict_here(f"run={run_dir}", "split=val", f"checkpoint={last}", f"output_dir={tmp_path}")
    assert decisions(tmp_path)["threshold"] == chosen_in(last)["value"]


def test_a_checkpoint_of_before_has_none(run_dir: Path, tmp_path: Path) -> None:
    old = shutil.copytree(run_dir, tmp_path / "old")
    path = old / "checkpoints" / "best.ckpt"
    checkpoint = read_checkpoint(path)
    del checkpoint["threshold"]
    torch.save(checkpoint, path)
    predict_here(f"run={old}", "split=val")
    at = decisions(old / "predict" / "ego4d_val")
    assert (at["threshold"], at["rule"], at["chosen_on"]) == (0.5, None, None)


def test_a_rule_that_makes_no_sense_stops_a_training_before_it_begins(
    training_store: Path, tmp_path: Path
) -> None:
    typed = "+model.module.threshold.precision=90"
    with pytest.raises(ValueError, match=r"threshold\.precision.* 90.* 1"):
        train_here("gazelstm", training_store, tmp_path / "run", typed)
    assert not (tmp_path / "run" / "run.json").exists()
