"""Runs that the suite made before it had rooms: they are used, go on and are compared as ever."""

import json
from pathlib import Path
from typing import Any

import pytest
from builders import small_lam_training, small_training
from builders.old_runs import MODELS, make_old, write_old_run
from builders.small_lam_training import metrics_said, predict_here
from builders.small_reports import only_table, write_study
from builders.small_runs import change_run, study_plan
from builders.small_store import write_small_store
from builders.small_training import composed, one_thread

from common.report.study.comparison import Comparison
from common.runs.folder import continued
from common.runs.replay import replay, replayed_config
from common.runs.run import build_data
from common.runs.snapshot import read_snapshot


@pytest.mark.parametrize("model", MODELS)
def test_what_was_begun_goes_on_with_the_same_command(model: str, tmp_path: Path) -> None:
    recorded = write_old_run(model, tmp_path, status="interrupted")
    typed = recorded["starts"][0]["command"][1:]
    run = tmp_path / model
    config = composed("train", *(_run_dir_typed(said) for said in typed), "continue_run=true")
    assert continued(config, run, {}) == (None, config)
    with pytest.raises(ValueError, match=rf"{model} .*seed=0 .*1"):
        continued({**config, "seed": 1}, run, {})


@pytest.mark.parametrize(
    ("job", "row"),
    [
        ("flame_table/flame_af_columbiagaze_seed0", ["model=flame_af", "data=columbiagaze"]),
        ("table4/temporal_none_seed0", ["ablations=temporal_none"]),
    ],
)
def test_a_job_of_a_study_begun_before_goes_on(job: str, row: list[str], tmp_path: Path) -> None:
    recorded = write_old_run(job, tmp_path)
    *typed, _, _ = recorded["starts"][0]["command"][1:]  # the row as it was typed then, and -m
    run = tmp_path / job
    config = composed("train", *typed, *row, "seed=0", f"paths.run_dir={run}")
    assert continued(config, run, {}) == (None, config)


def _run_dir_typed(said: str) -> str:
    """Without a script, Hydra makes no folder: it is typed."""
    return said.replace("hydra.run.dir", "paths.run_dir")


@pytest.fixture(scope="module")
def gaze_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store, and the finished ``run``."""
    folder = tmp_path_factory.mktemp("old_gaze")
    write_small_store(folder / "store")
    _train(folder, "run", 2)
    make_old(folder / "run")
    return folder


def _train(folder: Path, name: str, num_epochs: int, *typed: str) -> dict[str, float]:
    options = [f"trainer.max_epochs={num_epochs}", *typed]
    return small_training.train_here(folder / "store", folder / name, *options)


def test_an_old_run_is_tested(gaze_dir: Path) -> None:
    run = gaze_dir / "run"
    assert '"flame.module.GazeAngleModule"' in (run / "run.json").read_text()
    said = metrics_said(predict_here(f"run={run}", "split=test"))
    expected = read_snapshot(run)["metrics"]
    assert said == {name: pytest.approx(expected[name], abs=5e-5) for name in said}


def test_its_data_are_described_as_then(gaze_dir: Path, tmp_path: Path) -> None:
    # Else a replay lists differences where there are none. Checksums are of the libraries' PNG.
    recorded = write_old_run("flame", tmp_path)
    config = read_snapshot(tmp_path / "flame")["config"]
    config["data"]["datamodule"]["store_dir"] = str(gaze_dir / "store")
    now, then = build_data(config).fingerprint(), recorded["data"]
    same = {name for name in then if not name.endswith("sha256")}
    assert {name: now[name] for name in same} == {name: then[name] for name in same}


def test_a_finished_old_run_is_left_as_it_is(gaze_dir: Path) -> None:
    before = (gaze_dir / "run" / "run.json").read_bytes()
    metrics = _train(gaze_dir, "run", 2, "continue_run=true")
    assert metrics == read_snapshot(gaze_dir / "run")["metrics"]
    assert (gaze_dir / "run" / "run.json").read_bytes() == before


def test_an_old_run_is_run_again(gaze_dir: Path) -> None:
    run, again = gaze_dir / "run", gaze_dir / "again"
    asked = composed("replay", f"replay={run}", f"paths.run_dir={again}", "allow_differences=true")
    with one_thread():
        replay(replayed_config(asked), asked)
    assert read_snapshot(again)["replay_of"]["equal"]


def test_an_old_run_is_resumed_as_if_it_had_never_ended(gaze_dir: Path) -> None:
    run, short = gaze_dir / "begun", "callbacks.pictures=null"
    _train(gaze_dir, "begun", 1, short, "test=false")
    make_old(run)
    metrics = _train(gaze_dir, "begun", 2, short, f"ckpt_path={run}/checkpoints/last.ckpt")
    whole = read_snapshot(gaze_dir / "run")
    assert metrics == whole["metrics"]
    snapshot = read_snapshot(run)
    assert len(snapshot["starts"]) == 2
    assert snapshot["config"]["model"] == _in_folder(whole["config"]["model"], "run", "begun")


def _in_folder(value: Any, old: str, new: str) -> Any:
    return json.loads(json.dumps(value).replace(f"/{old}/", f"/{new}/"))


def test_old_eye_contact_runs_are_tested(tmp_path: Path) -> None:
    small_lam_training.write_store(tmp_path / "store")
    short = ["trainer.max_epochs=1", "+trainer.limit_train_batches=1"]
    short += ["callbacks.pictures=null", "test=false"]
    small_lam_training.train_here("gazelstm", tmp_path / "store", tmp_path / "old", *short)
    make_old(tmp_path / "old")
    said = metrics_said(predict_here(f"run={tmp_path}/old", "split=val"))
    expected = read_snapshot(tmp_path / "old")["metrics"]["best_val/map"]
    assert said["test/map"] == pytest.approx(expected, abs=5e-5)


def test_runs_of_before_and_of_today_share_a_table(tmp_path: Path) -> None:
    write_study(tmp_path, study_plan(rows=("off", "both"), seeds=(0, 1)))
    for path in tmp_path.glob("*/*"):
        change_run(
            path,
            {
                "config.model.module._target_": "gazepose.training.module.EyeContactModule",
                "config.data.datamodule._target_": "gazepose.data.datamodule.LamDataModule",
            },
        )
    make_old(tmp_path / "demo_table" / "both_seed1")
    assert isinstance(only_table(tmp_path), Comparison)


def test_a_run_of_a_class_that_is_gone_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    write_old_run("flame", tmp_path)
    run, net = tmp_path / "flame", "flame.nets.of_mine.Net"
    change_run(run, {"config.model.module.net._target_": net})
    with pytest.raises(ValueError, match=rf"{run} .*{net}"):
        predict_here(f"run={run}", "split=test")
    with pytest.raises(ValueError, match=rf"{run} .*{net}"):
        replayed_config(composed("replay", f"replay={run}", f"paths.run_dir={tmp_path}/new"))
