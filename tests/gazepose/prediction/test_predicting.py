"""A trained run tested otherwise: what is printed, recorded, and what the folder is called."""

import json
import math
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from builders.small_lam_training import metrics_said, predict_here, train_here
from builders.written_results import scores_of, summary_of

from gazepose import evaluate_lam

pytestmark = pytest.mark.usefixtures("_undrawn")
SMOOTHED = [
    "model.callbacks.results.smoothing.kind=gaussian",
    "model.callbacks.results.smoothing.width_frames=9",
]


@pytest.fixture(scope="module")
def run_dir(training_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short training whose test smooths, in mixed precision."""
    folder = tmp_path_factory.mktemp("predicting") / "run"
    options = ["trainer.max_epochs=1", "trainer.precision=bf16-mixed", "callbacks.pictures=null"]
    train_here("gazelstm", training_store, folder, *options, *SMOOTHED)
    return folder


def predicted(run_dir: Path, *typed: str) -> tuple[str, Path]:
    """Return what is said of the metrics, and the folder."""
    said, folder = predict_here(f"run={run_dir}", *typed).split(" -> ")
    return said, Path(folder)


@pytest.fixture(scope="module")
def again(run_dir: Path) -> tuple[str, Path]:
    """What ``predict.py run=RUN split=val`` says and leaves."""
    return predicted(run_dir, "split=val")


def official_map(folder: Path) -> float:
    (truth,), (scores,) = folder.glob("*_gt.csv"), folder.glob("*_pred.csv")
    return float(evaluate_lam(truth, scores)["map"])


def test_the_recorded_map_is_that_of_the_smoothed_scores(run_dir: Path) -> None:
    expected = official_map(run_dir / "test")
    summary = summary_of(run_dir / "test")
    metrics = json.loads((run_dir / "run.json").read_text())["metrics"]
    logged = pl.read_csv(run_dir / "csv" / "version_0" / "metrics.csv")
    for found in (metrics, {name: logged[name].drop_nulls()[-1] for name in logged.columns}):
        assert found["test/map"] == pytest.approx(expected, abs=1e-6)
        assert found["test/map_raw"] == pytest.approx(summary["map_raw"], abs=1e-6)
    assert summary["map"] == pytest.approx(expected)
    assert metrics["test/map_raw"] == pytest.approx(metrics["best_val/map"], abs=1e-6)
    assert abs(expected - summary["map_raw"]) > 1e-3


def test_the_printed_map_is_that_of_the_written_scores(
    run_dir: Path, again: tuple[str, Path]
) -> None:
    recorded = json.loads((run_dir / "run.json").read_text())["metrics"]
    said, folder = again
    assert metrics_said(said) == {
        "test/map": pytest.approx(official_map(folder), abs=1e-4),
        "test/map_raw": pytest.approx(recorded["test/map_raw"], abs=1e-4),
    }
    said, folder = predicted(run_dir, "split=val", "results={smoothing:{kind:none}}")
    assert metrics_said(said) == {"test/map": pytest.approx(recorded["test/map_raw"], abs=1e-4)}
    assert official_map(folder) == pytest.approx(recorded["test/map_raw"], abs=1e-6)


def test_a_test_has_the_runs_precision_unless_another_is_asked_for(
    run_dir: Path, again: tuple[str, Path]
) -> None:
    own, (_, folder) = scores_of(run_dir / "test"), again
    np.testing.assert_array_equal(scores_of(folder), own)
    assert summary_of(folder)["protocol"] == summary_of(run_dir / "test")["protocol"]
    assert summary_of(folder)["protocol"]["precision"] == "bf16-mixed"
    _, folder = predicted(run_dir, "split=val", "trainer.precision=32-true")
    assert folder.name == "ego4d_val_precision-32-true"
    assert summary_of(folder)["protocol"]["precision"] == "32-true"
    assert not np.array_equal(scores_of(folder), own)


def test_a_precision_that_rounds_landmarks_is_refused(run_dir: Path) -> None:
    with pytest.raises(ValueError, match=r"trainer\.precision=bf16-mixed"):
        predicted(run_dir, "split=val", "trainer.precision=bf16-true")


DATA = ["data=ego4d", "data.datamodule.num_workers=0"]


@pytest.mark.parametrize(
    ("typed", "name", "num_scores"),
    [
        (["datamodule={test_stride:5}"], "ego4d_test_datamodule-test_stride-5", 10),
        ([*DATA, "data.datamodule.test_stride=5"], "ego4d_test_stride-5", 10),
        (DATA, "ego4d_test", 48),
    ],
)
def test_another_stride_names_the_folder(
    run_dir: Path, training_store: Path, typed: list[str], name: str, num_scores: int
) -> None:
    place = [f"data.store_dir={training_store}"] if typed[:2] == DATA else []
    _, folder = predicted(run_dir, "split=test", *typed, *place)
    assert folder == run_dir / "predict" / name
    assert len(scores_of(folder)) == num_scores


def test_the_part_is_chosen_by_split_alone(run_dir: Path) -> None:
    with pytest.raises(ValueError, match="split=val"):
        predict_here(f"run={run_dir}", "split=test", "datamodule={test_part:val}")


def test_results_of_the_part_that_chose_the_checkpoint_say_so(
    run_dir: Path, again: tuple[str, Path]
) -> None:
    note = summary_of(run_dir / "test")["note"]
    assert "val/map" in note
    assert summary_of(again[1])["note"] == note
    _, folder = predicted(run_dir, "split=train")
    assert "note" not in summary_of(folder)
    last = run_dir / "checkpoints" / "last.ckpt"
    _, folder = predicted(run_dir, "split=val", f"checkpoint={last}")
    assert "note" not in summary_of(folder)


def test_a_net_that_gives_no_numbers_is_an_error_and_leaves_no_files(
    run_dir: Path, tmp_path: Path
) -> None:
    best = torch.load(run_dir / "checkpoints" / "best.ckpt", weights_only=True)
    for weight in best["state_dict"].values():
        if weight.is_floating_point():
            weight.fill_(math.nan)
    torch.save(best, tmp_path / "nan.ckpt")
    asked = [
        f"run={run_dir}",
        f"checkpoint={tmp_path / 'nan.ckpt'}",
        f"output_dir={tmp_path / 'o'}",
    ]
    for split, num in (("test", 48), ("val", 48)):
        with pytest.raises(ValueError, match=f"{num} of {num} "):
            predict_here(*asked, f"split={split}")
    assert not (tmp_path / "o").exists()


def test_eye_contact_takes_no_calibration(run_dir: Path) -> None:
    with pytest.raises(ValueError, match=r"calibration=.*model=gazelstm"):
        predicted(run_dir, "split=val", "calibration={samples:3}")
