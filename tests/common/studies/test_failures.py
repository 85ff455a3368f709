"""What a study says of jobs that failed, were refused or were not started."""

import json
from pathlib import Path
from typing import Any

import pytest
from builders.small_runs import write_run
from builders.study_configs import config_of

from common.studies.study import (
    check_typed,
    outlived,
    read_failures,
    record_failure,
    unfinished_jobs,
)


def test_the_summary_says_what_failed_and_what_was_not_run(
    tmp_path: Path, train_script: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    # The row sets the priors: its job is refused before anything is trained.
    typed = ["sweeps=table3", "ablations=spatial_head", "seed=0", "priors=none"]
    assert train_script(*typed, f"paths.runs_dir={tmp_path}") == 1
    said = capsys.readouterr().out
    log_path = tmp_path / "table3" / "spatial_head_seed0" / "train.log"
    for fact in ("table3: 0 of 50 ", " 49 ", f"failed:\n  spatial_head_seed0: {log_path}\n"):
        assert fact in said
    assert "priors=none" in said.partition(str(log_path))[2]
    assert "priors=none" in log_path.read_text()


def test_a_foreign_row_is_refused_before_any_job(
    tmp_path: Path, train_script: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    typed = ["sweeps=table3", "ablations=spatial_off,temporal_none"]
    assert train_script(*typed, f"paths.runs_dir={tmp_path}") == 1
    said = capsys.readouterr().out
    assert all(fact in said for fact in ("ablations=temporal_none", "table3", "spatial_head"))
    assert not list(tmp_path.rglob("*_seed*"))


@pytest.mark.parametrize(
    ("typed", "foreign"),
    [
        *(("model=c", "model=c"), ("model=a,c", "model=c")),
        *(("seed=0,7", "seed=7"), ("seed=range(2,5)", "seed=3")),
    ],
)
def test_what_a_study_does_not_sweep_over_is_refused(typed: str, foreign: str) -> None:
    swept = {"model": "a,b", "seed": "0,1,2"}
    check_typed("mine", swept, ["model=b,a", "seed=range(0,3)", "model=glob(*)", "data=c"])
    with pytest.raises(ValueError, match=rf"{foreign} .*mine.* (a, b|0, 1, 2)\b"):
        check_typed("mine", swept, [typed])


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
    assert " 1 of 30 " in said
    assert f"failed:\n  spatial_off_seed0: {job_dir / 'train.log'}\n    {job_dir} " in said
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
    assert "earlier:\n  gazepose_seed0:" in said


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
    assert "trainer.devices=1" in capsys.readouterr().err


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
