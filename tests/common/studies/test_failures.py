"""What a study says of jobs that failed, were refused or were not started."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from builders.small_runs import write_run
from builders.study_configs import config_of
from builders.train_script import train_script_here

from common.studies.study import (
    outlived,
    read_failures,
    record_failure,
    unfinished_jobs,
)


@pytest.fixture
def train_script(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    with train_script_here(monkeypatch) as run:
        yield run


def test_the_summary_says_what_failed_and_what_was_not_run(
    tmp_path: Path, train_script: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    # The row sets the priors: its job is refused before anything is trained.
    typed = ["sweeps=table3", "ablations=spatial_head", "seed=0", "priors=none"]
    assert train_script(*typed, f"paths.runs_dir={tmp_path}") == 1
    said = capsys.readouterr().out
    assert "study table3: 0 of 50 jobs finished" in said
    assert "not run: 49 jobs" in said
    log_path = tmp_path / "table3" / "spatial_head_seed0" / "train.log"
    assert f"failed:\n  spatial_head_seed0: {log_path}\n    row spatial_head sets" in said
    assert "priors=none on the command line would undo that" in log_path.read_text()


@pytest.mark.parametrize(
    ("study", "typed"),
    [
        *(("table3", "ablations=temporal_none"), ("table3", "ablations=spatial_off,x")),
        *(("table3", "seed=0,7"), ("table3", "seed=range(5,7)"), ("flame_table", "seed=5")),
        *(("flame_table", "model=flame,gaze360"), ("flame_table", "data=demo_gaze")),
    ],
)
def test_a_foreign_row_or_seed_is_refused_before_any_job(
    study: str, typed: str, tmp_path: Path, train_script: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train_script(f"sweeps={study}", typed, f"paths.runs_dir={tmp_path}") == 1
    assert f" is not of study {study}, which has" in capsys.readouterr().out
    assert not list(tmp_path.rglob("*_seed*"))


@pytest.mark.parametrize("launcher", ["basic", pytest.param("joblib", marks=pytest.mark.slow)])
def test_a_job_refused_in_a_finished_folder_is_named(
    launcher: str, tmp_path: Path, train_script: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    job_dir = tmp_path / "table4" / "spatial_off_seed0"
    snapshot = {"status": "finished", "metrics": {"auc": 1.0}}
    typed = ["sweeps=table4", "ablations=spatial_off", "seed=0", f"paths.run_dir={job_dir}"]
    config = config_of(*typed, f"paths.runs_dir={tmp_path}")
    job_dir.mkdir(parents=True)
    (job_dir / "run.json").write_text(json.dumps({**snapshot, "config": config}))

    typed = [*typed, f"paths.runs_dir={tmp_path}", f"hydra/launcher={launcher}"]
    assert train_script(*typed, "model.learning_rate=1e-3") == 1
    said = capsys.readouterr().out
    assert "1 of 30 jobs finished" in said
    assert f"failed:\n  spatial_off_seed0: {job_dir / 'train.log'}" in said
    assert f"\n    {job_dir} holds a run of another config" in said
    # What failed is what the latest start says.
    assert train_script(*typed) == 0
    assert "failed" not in capsys.readouterr().out


def test_what_failed_earlier_is_no_failure_of_this_call(
    tmp_path: Path, train_script: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    job_dir = tmp_path / "table4" / "spatial_off_seed0"
    record_failure(tmp_path / "table4" / "gazepose_seed0", RuntimeError("the disk is full"))
    typed = ["sweeps=table4", "ablations=spatial_off", "seed=0", f"paths.run_dir={job_dir}"]
    typed = [*typed, f"paths.runs_dir={tmp_path}"]
    job_dir.mkdir()
    finished = {"status": "finished", "metrics": {}, "config": config_of(*typed)}
    (job_dir / "run.json").write_text(json.dumps(finished))
    assert train_script(*typed) == 0
    said = capsys.readouterr().out
    assert "failed or interrupted earlier:\n  gazepose_seed0:" in said


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ValueError("no store\nmore"), "no store"),
        (RuntimeError("full\nmore"), "RuntimeError: full"),
        (KeyError(), "KeyError: "),
    ],
)
def test_a_failure_keeps_its_first_line_until_the_job_is_started_again(
    tmp_path: Path, error: Exception, reason: str
) -> None:
    record_failure(tmp_path / "job", error)
    assert read_failures(tmp_path)["job"]["reason"] == reason
    with outlived({}, tmp_path / "job"):
        pass
    assert read_failures(tmp_path) == read_failures(tmp_path / "no_study") == {}


def test_a_study_of_jobs_that_start_processes_is_refused(
    tmp_path: Path, train_script: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    typed = ["sweeps=table3", "ablations=spatial_head", "seed=0", "trainer.devices=2"]
    assert train_script(*typed, f"paths.runs_dir={tmp_path}") == 1
    assert "a sweep's jobs take one device each" in capsys.readouterr().err


@pytest.mark.parametrize("content", ["", "[]", '{"time": "now"}', '{"time": 3, "reason": []}'])
def test_a_damaged_failure_is_one_and_costs_no_other(tmp_path: Path, content: str) -> None:
    record_failure(tmp_path / "sound", ValueError("why"))
    record_failure(tmp_path / "damaged", ValueError("why"))
    (tmp_path / "damaged" / "failure.json").write_text(content)
    found = read_failures(tmp_path)
    assert found["sound"]["reason"] == "why"
    assert "failure.json" in found["damaged"]["reason"]


def test_a_job_with_a_damaged_run_json_is_not_finished(tmp_path: Path) -> None:
    write_run(tmp_path / "a_seed0")
    (tmp_path / "a_seed0" / "run.json").write_text('{"status": "finished"')
    assert unfinished_jobs(tmp_path, {"rows": {"a": "a"}, "seeds": [0]}) == {"a_seed0": True}
