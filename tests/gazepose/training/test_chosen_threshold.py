"""The threshold that validation chooses: it goes with the checkpoint, into tests and videos."""

import json
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import torch
from builders.small_lam_training import predict_here, train_here, write_store

from common.training.checkpoints.reading import read_checkpoint
from gazepose.evaluation.threshold import ThresholdRule

# One epoch leaves a net that is wrong now and then.
SHORT = ["trainer.max_epochs=2", "model.learning_rate=0.001"]
PRECISION = ["+model.module.threshold.rule=precision", "+model.module.threshold.precision=0.4"]


@pytest.fixture(scope="module")
def store_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("threshold") / "store"
    write_store(folder)
    return folder


@pytest.fixture(scope="module", params=[[], PRECISION], ids=["f1", "precision"])
def run_dir(store_dir: Path, request: pytest.FixtureRequest) -> Path:
    folder = store_dir.with_name(f"run_{len(request.param)}")
    train_here("gazelstm", store_dir, folder, *SHORT, *request.param)
    return folder


def rule_of(run_dir: Path) -> ThresholdRule:
    config = json.loads((run_dir / "run.json").read_text())["config"]
    return ThresholdRule(**config["model"]["module"].get("threshold", {}))


def decisions(folder: Path) -> dict[str, Any]:
    (path,) = folder.glob("*.json")
    return json.loads(path.read_text())["at_threshold"]


def chosen_in(checkpoint: Path) -> dict[str, Any]:
    return read_checkpoint(checkpoint)["threshold"]


def test_it_is_the_best_one_of_the_best_checkpoints_validation(run_dir: Path) -> None:
    (path,) = (run_dir / "test").glob("*_predictions.parquet")
    table, rule = pl.read_parquet(path), rule_of(run_dir)
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
    store_dir: Path, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=r"threshold\.precision is 90"):
        train_here("gazelstm", store_dir, tmp_path / "run", "+model.module.threshold.precision=90")
    assert not (tmp_path / "run" / "run.json").exists()
