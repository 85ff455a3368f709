"""Eye-contact training and prediction as a user starts them: learns, repeats, resumes, records."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from builders.small_lam_training import (
    SMALL_DATA,
    SMALL_NETS,
    metrics_said,
    overrides_of,
    predict_here,
    train_here,
)
from builders.small_store import write_small_store
from builders.small_training import REPO_DIR, composed
from builders.written_results import scores_of, summary_of

from common.runs.run import fit_and_test
from common.training.checkpoints.reading import read_checkpoint
from gazepose import evaluate_lam
from gazepose.evaluation.threshold import ThresholdRule
from gazepose.submission.check import validate_submission
from gazepose.submission.writing import expected_samples
from gazepose.training.module import EyeContactModule

pytestmark = pytest.mark.usefixtures("_undrawn")
# GazePose has what GazeLSTM has, and dropout, priors and a Transformer.
MODELS = ["gazepose", pytest.param("gazelstm", marks=pytest.mark.slow)]
Metrics = dict[str, float]


@pytest.fixture(scope="module")
def work_dir(training_store: Path) -> Path:
    """Where the store lies as ``store``, and runs beside it."""
    return training_store.parent


@pytest.fixture(scope="module", params=MODELS)
def model(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def unbroken(work_dir: Path, model: str) -> Metrics:
    return train(work_dir, model, "unbroken")


def train(work_dir: Path, model: str, name: str, *overrides: str) -> Metrics:
    run_dir = work_dir / f"{model}_{name}"
    metrics = train_here(model, work_dir / "store", run_dir, *overrides)
    snapshot = json.loads((run_dir / "run.json").read_text())
    assert (snapshot["status"], snapshot["metrics"]) == ("finished", metrics)
    return metrics


# Training


def test_a_net_learns_what_tells_eye_contact(work_dir: Path, model: str, unbroken: Metrics) -> None:
    assert unbroken["best_val/map"] > 0.9
    assert unbroken["test/map"] > 0.9
    folder = work_dir / f"{model}_unbroken" / "test"
    stem, summary = f"ego4d_ego4d_{model}", summary_of(folder)
    assert summary["map"] == pytest.approx(unbroken["test/map"], abs=1e-6)
    assert (summary["part"], summary["stride"], summary["num_clips"]) == ("val", 2, 2)
    assert summary["protocol"]["dropout"] == {"gazelstm": "none", "gazepose": "gaussian"}[model]
    assert summary["at_threshold"]["rule"] == ThresholdRule().description
    official = evaluate_lam(folder / f"{stem}_gt.csv", folder / f"{stem}_pred.csv")
    assert official["map"] == pytest.approx(summary["map"])


def test_the_same_seed_gives_the_same_numbers_with_loader_processes_too(
    work_dir: Path, model: str, unbroken: Metrics
) -> None:
    typed = ["data.datamodule.num_workers=1", "callbacks.pictures=null"]
    assert train(work_dir, model, "again", *typed) == unbroken
    found, expected = (scores_of(work_dir / f"{model}_{n}" / "test") for n in ("again", "unbroken"))
    np.testing.assert_array_equal(found, expected)


@pytest.mark.slow
def test_another_seed_gives_other_numbers(work_dir: Path, model: str, unbroken: Metrics) -> None:
    assert train(work_dir, model, "other", "seed=1")["train/loss"] != unbroken["train/loss"]


def test_the_test_is_of_the_best_validation(work_dir: Path, model: str, unbroken: Metrics) -> None:
    logged = pl.read_csv(work_dir / f"{model}_unbroken" / "csv" / "version_0" / "metrics.csv")
    maps = logged["val/map"].drop_nulls()
    assert len(maps) == 3
    assert unbroken["best_val/map"] == pytest.approx(maps.max(), abs=1e-6)


@pytest.mark.parametrize("batch", [pytest.param(0, marks=pytest.mark.slow), 5])
def test_interrupted_and_continued_ends_like_one_never_interrupted(
    work_dir: Path, model: str, unbroken: Metrics, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    """Between two epochs, or inside one, which then begins again."""

    def interrupt(module: EyeContactModule, _: Any, batch_idx: int) -> None:
        if (module.current_epoch, batch_idx) == (2, batch):
            raise KeyboardInterrupt

    name, typed = f"interrupted_{batch}", ["continue_run=true", "callbacks.pictures=null"]
    run_dir = work_dir / f"{model}_{name}"
    with monkeypatch.context() as patch:
        patch.setattr(EyeContactModule, "on_train_batch_start", interrupt)
        with pytest.raises(SystemExit):
            train(work_dir, model, name, *typed)
    assert json.loads((run_dir / "run.json").read_text())["status"] == "interrupted"
    assert read_checkpoint(run_dir / "checkpoints" / "last.ckpt")["epoch"] == 1
    assert train(work_dir, model, name, *typed) == unbroken


@pytest.mark.slow
def test_killed_inside_an_epoch_and_resumed_ends_like_one_never_killed(
    work_dir: Path, model: str, unbroken: Metrics
) -> None:
    run_dir = work_dir / f"{model}_killed"
    last = run_dir / "checkpoints" / "last.ckpt"
    train_script = [str(REPO_DIR / "train.py"), *overrides_of(model, work_dir / "store")]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    slow = subprocess.Popen(
        [sys.executable, "-c", SLOW_TRAIN, *train_script, f"hydra.run.dir={run_dir}"],
        cwd=work_dir, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    while not last.exists():
        assert slow.poll() is None, "the run ended before its first checkpoint"
        time.sleep(0.05)
    time.sleep(0.5)
    os.kill(slow.pid, signal.SIGKILL)
    slow.wait()
    assert read_checkpoint(last)["epoch"] < 2, "the kill fell inside an epoch"
    assert json.loads((run_dir / "run.json").read_text())["status"] == "running"
    done = subprocess.run(
        [sys.executable, *train_script, f"ckpt_path={last}"],
        cwd=work_dir, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads((run_dir / "run.json").read_text())["metrics"] == unbroken


# Runs train.py with a pause after every training batch.
SLOW_TRAIN = """
import runpy, sys, time
from gazepose.training.module import EyeContactModule
EyeContactModule.on_train_batch_end = lambda self, *_: time.sleep(0.2)
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


# Predictions


@pytest.fixture(scope="module")
def run_dir(work_dir: Path, model: str, unbroken: Metrics) -> Path:
    return work_dir / f"{model}_unbroken"


def test_a_split_is_tested_as_after_training(run_dir: Path, unbroken: Metrics) -> None:
    said = predict_here(f"run={run_dir}", "split=val")
    folder = run_dir / "predict" / "ego4d_val"
    assert said.endswith(f"-> {folder}")
    assert metrics_said(said) == {"test/map": pytest.approx(unbroken["test/map"], abs=1e-4)}
    np.testing.assert_array_equal(scores_of(folder), scores_of(run_dir / "test"))
    for path in (run_dir / "test").glob("*.csv"):
        assert (folder / path.name).read_bytes() == path.read_bytes()


def test_what_is_changed_takes_effect_and_names_the_folder(
    run_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirrored: list[int] = []

    def changed(*typed: str) -> tuple[Path, dict[str, Any]]:
        folder = Path(predict_here(f"run={run_dir}", "split=val", *typed).split(" -> ")[1])
        return folder.relative_to(run_dir / "predict"), summary_of(folder)["protocol"]

    def mirror(module: EyeContactModule, batch: Any) -> Any:
        mirrored.append(1)
        return batch

    folder, protocol = changed("results={smoothing:{kind:median,width_frames:5}}")
    assert folder == Path("ego4d_val_results-smoothing-kind-median-width_frames-5")
    assert protocol["smoothing"] == "median, 5 frames"
    smoothed = scores_of(run_dir / "predict" / folder)
    assert not np.array_equal(smoothed, scores_of(run_dir / "test"))
    folder, protocol = changed("dropout=uniform")
    assert (folder, protocol["dropout"]) == (Path("ego4d_val_dropout-uniform"), "uniform")
    # Faces of one colour are their own mirror image.
    monkeypatch.setattr(EyeContactModule, "_mirrored", mirror)
    folder, protocol = changed("module={flip_average:true}")
    assert folder == Path("ego4d_val_module-flip_average-True")
    assert protocol["flip_average"]
    assert len(mirrored) > 0


def test_the_unlabelled_part_becomes_a_submission(run_dir: Path, work_dir: Path) -> None:
    said = predict_here(f"run={run_dir}", "split=test")
    folder = run_dir / "predict" / "ego4d_test"
    assert said.endswith(f"-> {folder}")
    assert "test/map" not in said
    (submission,) = (folder / "evalai").glob("*.json")
    report = validate_submission(submission, expected_samples(work_dir / "store"))
    assert report.problems == ()
    assert report.num_entries == 48
    (pred,) = folder.glob("*_pred.csv")
    assert len(pred.read_text().splitlines()) == 48


def test_what_does_not_belong_to_a_run_is_refused(run_dir: Path) -> None:
    with pytest.raises(ValueError, match=r"priors=.*model=NAME checkpoint=FILE"):
        predict_here(f"run={run_dir}", "split=val", "priors=none")


def test_lines_are_not_mixed(run_dir: Path, model: str, tmp_path: Path) -> None:
    write_small_store(tmp_path / "gaze")
    other = ["data=columbiagaze", f"data.store_dir={tmp_path / 'gaze'}"]
    message = f"model={model} .*eye_contact.*data=columbiagaze .*gaze_angle"
    with pytest.raises(ValueError, match=message):
        predict_here(f"run={run_dir}", "split=test", *other)
    typed = [*SMALL_NETS[model], *other, f"paths.run_dir={tmp_path / 'run'}"]
    with pytest.raises(ValueError, match=message):
        fit_and_test(composed("train", *typed), {}, tmp_path / "run")


def test_exported_weights_give_the_same_numbers(
    run_dir: Path, work_dir: Path, model: str, unbroken: Metrics, tmp_path: Path
) -> None:
    exported = tmp_path / "original.pth"
    said = predict_here(f"run={run_dir}", f"export={exported}")
    assert said == f"{run_dir / 'checkpoints' / 'best.ckpt'} -> {exported}"
    typed = [*SMALL_NETS[model], f"checkpoint={exported}", "split=val", *SMALL_DATA]
    typed += [f"data.store_dir={work_dir / 'store'}", f"output_dir={tmp_path / 'out'}"]
    said = predict_here(*typed)
    assert metrics_said(said) == {"test/map": pytest.approx(unbroken["test/map"], abs=1e-4)}
    np.testing.assert_array_equal(scores_of(tmp_path / "out"), scores_of(run_dir / "test"))
