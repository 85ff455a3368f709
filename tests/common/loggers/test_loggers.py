"""What a run leaves with its loggers: the same curves and pictures, what the dashboard shows."""

import ast
import json
import runpy
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from builders.logged_run import OFFLINE, config_of
from builders.offline_wandb import OfflineRun, offline_runs
from builders.small_store import write_small_store
from builders.small_training import REPO_DIR, one_thread, train_here
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from common.runs.run import fit_and_test
from common.runs.snapshot import git_state

DASHBOARD = REPO_DIR / "docs" / "dashboards" / "study.py"
Curves = dict[str, list[tuple[int, float]]]


STUDY = [
    *("sweeps=table4", "ablations=temporal_none"),
    *("callbacks.pictures.num_samples=4", "callbacks.pictures.num_worst=3"),
]


@pytest.fixture(scope="module")
def run_dir(work_dir: Path) -> Path:
    """Of a finished run with all three loggers."""
    folder = work_dir / "temporal_none_seed0"
    # Learns next to nothing, so that there are mistakes.
    typed = [*STUDY, "trainer.max_epochs=2", "model.learning_rate=1e-5"]
    config = config_of(work_dir, folder, *OFFLINE, *typed)
    config["logger"] |= config_of(work_dir, folder, "logger=tensorboard")["logger"]
    with one_thread():
        fit_and_test(config, {}, folder)
    return folder


@pytest.fixture(scope="module")
def wandb_run(run_dir: Path) -> OfflineRun:
    (run,) = offline_runs(run_dir)
    return run


def csv_curves(run_dir: Path) -> Curves:
    table = pl.read_csv(run_dir / "csv" / "version_0" / "metrics.csv")
    names = [name for name in table.columns if name not in ("step", "epoch")]
    return {name: table.select("step", name).drop_nulls().rows() for name in names}


def tensorboard_events(run_dir: Path) -> list[EventAccumulator]:
    """One of each file; a test after the training has its own."""
    found = sorted((run_dir / "tensorboard").glob("events.out.tfevents.*"))
    return [EventAccumulator(str(path)).Reload() for path in found]


def tensorboard_curves(run_dir: Path) -> Curves:
    curves: Curves = {}
    for events in tensorboard_events(run_dir):
        for name in events.Tags()["scalars"]:
            points = [(event.step, event.value) for event in events.Scalars(name)]
            curves.setdefault(name, []).extend(points)
    return {name: points for name, points in curves.items() if name != "epoch"}


def test_all_loggers_have_the_same_curves(run_dir: Path, wandb_run: OfflineRun) -> None:
    expected = csv_curves(run_dir)
    assert set(expected) == {"train/loss", "val/loss", "val/map", "test/map", "lr-Adam"}
    wandb_curves = {name: p for name, p in wandb_run.scalars().items() if name != "epoch"}
    for found in (tensorboard_curves(run_dir), wandb_curves):
        assert set(found) == set(expected)
        for name, points in expected.items():
            assert [step for step, _ in found[name]] == [step for step, _ in points]
            # TensorBoard has float32, the csv what Python prints of it.
            values = [value for _, value in points]
            assert [value for _, value in found[name]] == pytest.approx(values, rel=1e-6)


def test_a_run_knows_its_study_and_its_row(run_dir: Path, wandb_run: OfflineRun) -> None:
    identity = (wandb_run.name, wandb_run.group, wandb_run.job_type)
    assert identity == ("temporal_none_seed0", "table4", "temporal_none")
    assert wandb_run.folder.parent == run_dir / "wandb"


def test_the_config_is_there_from_the_first_record_on(run_dir: Path, wandb_run: OfflineRun) -> None:
    recorded = json.loads((run_dir / "run.json").read_text())["config"]
    config = {name: value for name, value in wandb_run.initial_config.items() if name != "_wandb"}
    git = config.pop("git")
    assert config == recorded
    state = git_state()
    expected = {"commit": state["commit"], "dirty": bool(state["changes"])} if state else {}
    assert git == expected
    changed = {name for name in config if wandb_run.config[name] != config[name]}
    assert changed == set()


def test_pictures_tables_and_charts_are_there(run_dir: Path, wandb_run: OfflineRun) -> None:
    pictures = wandb_run.media("images/separated")
    assert {name: len(found) for name, found in pictures.items()} == {
        **{"val/samples": 2, "val/decisions": 2},
        **{"test/samples": 1, "test/worst": 1, "test/figure": 1},
    }
    tables = wandb_run.media("table-file")
    names = ("test/worst_table", "test/precision_recall_table", "test/confusion_table")
    assert set(tables) == set(names)
    files = wandb_run.folder / "files"
    for found in tables.values():
        assert (files / found[0]["path"]).is_file()
    for found in pictures.values():
        assert all((files / name).is_file() for name in found[0]["filenames"])
    charts = wandb_run.config["_wandb"]["visualize"]
    assert set(charts) == {"test/precision_recall", "test/confusion"}


def test_the_best_checkpoint_is_an_artifact(run_dir: Path, wandb_run: OfflineRun) -> None:
    models = [artifact for artifact in wandb_run.artifacts if artifact[0] == "model"]
    ((_, aliases, paths),) = models
    assert "best" in aliases
    assert [Path(path) for path in paths] == [run_dir / "checkpoints" / "best.ckpt"]


def test_a_finished_run_is_closed(run_dir: Path, wandb_run: OfflineRun) -> None:
    metrics = json.loads((run_dir / "run.json").read_text())["metrics"]
    assert (wandb_run.exit_code, wandb_run.summary["status"]) == (0, "finished")
    for name in ("best_val/map", "test/map"):
        assert wandb_run.summary[name] == pytest.approx(metrics[name], rel=1e-6)


def dashboard_names(line: str) -> dict[str, Any]:
    """What docs/dashboards/study.py shows, without what it imports."""
    tree = ast.parse(DASHBOARD.read_text())
    constants = {
        node.targets[0].id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    told = {
        name: ast.literal_eval(constants[name])
        for name in ("RESULTS", "CURVES", "PICTURES", "CHARTS", "WORST", "STEP")
    }
    return told | {name: told[name][line] for name in ("RESULTS", "PICTURES", "CHARTS")}


def test_the_dashboard_shows_what_a_run_logs(wandb_run: OfflineRun) -> None:
    shown = dashboard_names("eye_contact")
    assert set(shown["PICTURES"]) == set(wandb_run.media("images/separated"))
    tables = wandb_run.media("table-file")
    assert {shown["WORST"], *(table for _, _, table in shown["CHARTS"])} == set(tables)
    for preset, fields, name in shown["CHARTS"]:
        drawn = wandb_run.config["_wandb"]["visualize"][name.removesuffix("_table")]["panel_config"]
        assert (drawn["panelDefId"], drawn["fieldSettings"]) == (preset, fields)
    curves = {f"{stage}/{shown['RESULTS']}" for stage in ("val", "test")} | set(shown["CURVES"])
    assert curves == set(wandb_run.scalars()) - {"epoch"}
    assert all(shown["STEP"] in row for row in wandb_run.history)


def test_wandb_workspaces_takes_the_dashboard() -> None:
    pytest.importorskip("wandb_workspaces")
    define = runpy.run_path(str(DASHBOARD))["study_workspace"]
    for line in ("eye_contact", "gaze_angle"):
        view = define("me", "gaze-suite", "table3", line)._to_model()
        section = json.loads(view.model_dump_json(by_alias=True))["spec"]["section"]
        (runs,) = section["runSets"]
        assert [key["name"] for key in runs["grouping"]] == ["jobType"]
        assert [(one["key"]["name"], one["value"]) for one in runs["filters"]["filters"]] == [
            ("group", "table3")
        ]
        names = [one["name"] for one in section["panelBankConfig"]["sections"]]
        assert names == ["Results by row", "Curves", "Predictions", "Samples"]


def test_tensorboard_has_the_pictures_and_the_table(run_dir: Path) -> None:
    events = tensorboard_events(run_dir)
    steps = {
        name: [image.step for image in one.Images(name)]
        for one in events
        for name in one.Tags()["images"]
    }
    assert {name: len(found) for name, found in steps.items()} == {
        **{"val/samples": 2, "val/decisions": 2},
        **{"test/samples": 1, "test/worst": 1, "test/figure": 1},
    }
    assert steps["val/samples"] == sorted(set(steps["val/samples"]))
    assert "test/worst_table/text_summary" in events[-1].Tags()["tensors"]


def test_files_are_there_whatever_the_logger(run_dir: Path) -> None:
    names = {path.name for path in (run_dir / "pictures").iterdir()}
    assert names == {
        *("val_samples.jpg", "val_decisions.png"),
        *("test_samples.jpg", "test_worst.jpg", "test_worst.csv"),
    }
    worst = pl.read_csv(run_dir / "pictures" / "test_worst.csv")
    assert 0 < worst.height <= 3
    assert {"uid", "trackid", "frame", "label", "score"} <= set(worst.columns)


def test_nothing_is_shown_of_other_epochs(work_dir: Path) -> None:
    folder = work_dir / "seldom"
    typed = ["trainer.max_epochs=1", "test=false", "callbacks.pictures.every_n_epochs=2"]
    with one_thread():
        fit_and_test(config_of(work_dir, folder, *typed), {}, folder)
    assert not (folder / "pictures").exists()


@pytest.mark.slow
def test_a_gaze_angle_run_shows_its_pictures_too(tmp_path: Path) -> None:
    write_small_store(tmp_path / "store")
    train_here(tmp_path / "store", tmp_path / "run", "logger=tensorboard", "trainer.max_epochs=1")
    tags = {tag for one in tensorboard_events(tmp_path / "run") for tag in one.Tags()["images"]}
    assert tags == set(dashboard_names("gaze_angle")["PICTURES"])
    names = {path.name for path in (tmp_path / "run" / "pictures").iterdir()}
    assert names == {"val_samples.jpg", "test_samples.jpg", "test_worst.jpg", "test_worst.csv"}
