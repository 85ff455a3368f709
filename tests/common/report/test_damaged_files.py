"""One damaged file among many runs is left out and listed; the page is there all the same."""

import json

import polars as pl
import pytest
from builders.small_reports import write_undrawn
from builders.small_runs import (
    change_run,
    study_plan,
    write_gaze_job,
    write_lam_job,
    write_lam_run,
    write_lam_test,
    write_log,
    write_run,
    write_test,
)

from common.report.content import find_content
from common.report.study.files import study_text
from common.report.tables.formats import as_text

GAZE = "test/demo_gaze_demo_gaze_mmtm-fusion.json"
LAM = "test/demo_lam_demo_lam_gazepose.json"


@pytest.fixture
def runs_dir(tmp_path):
    runs = tmp_path / "runs"
    for number in range(3):
        write_test(write_run(runs / f"gaze{number}", seed=number), mean_deg=3.0 + number)
        write_log(runs / f"gaze{number}", 0, ["0,9,,0.5,4.0", "1,19,,0.4,3.5"])
        write_lam_test(write_lam_run(runs / f"lam{number}", seed=number), map=0.5 + number / 10)
    plan = study_plan(rows=("off", "both"), seeds=(0, 1))
    for row in plan["rows"]:
        for seed in plan["seeds"]:
            write_lam_job(runs / "study", plan, row, seed)
    return runs


def _not_used(runs_dir):
    """Return what the report read, and its text."""
    report = find_content(runs_dir)
    texts = [*map(study_text, report.outcomes), *map(as_text, report.tables)]
    return report.results, "\n".join(texts)


def _set(path, place, value):
    content = json.loads(path.read_text())
    *groups, last = place.split(".")
    target = content
    for group in groups:
        target = target[group]
    target[last] = value
    path.write_text(json.dumps(content))


@pytest.mark.parametrize(
    ("file", "place", "value"),
    [
        *((f"gaze1/{GAZE}", "mean_deg", value) for value in ("3.5", 10**400)),
        (f"gaze1/{GAZE}", "trained_on", {"low": 1}),
        (f"gaze1/{GAZE}", "split", ["x"]),
        (f"gaze1/{GAZE}", "interval_over_subjects_deg", {"low": 1.0}),
        (f"gaze1/{GAZE}", "interval_over_samples_deg", {"low": 1.0, "high": "\ud800"}),
        (f"gaze1/{GAZE}", "by", ".hidden"),
        (f"gaze1/{GAZE}", "by", {"subject": [{"slice": [], "num_samples": 1, "mean_deg": 2}]}),
        (f"gaze1/{GAZE}", "fold", {"number": 0}),
        (f"gaze1/{GAZE}", "num_samples", 0),
        (f"lam1/{LAM}", "protocol", [1]),
        (f"lam1/{LAM}", "stride", {}),
        (f"lam1/{LAM}", "baselines", {"constant": "0.5"}),
        (f"lam1/{LAM}", "at_threshold", {"threshold": 0.5}),
        (f"lam1/{LAM}", "by.sharpness", [{"slice": "low"}]),
    ],
)
def test_a_damaged_summary_costs_its_test_alone(runs_dir, file, place, value):
    _set(runs_dir / file, place, value)
    results, said = _not_used(runs_dir)
    (item,) = results.unread
    assert item.path == runs_dir / file
    assert place.partition(".")[0] in item.reason
    assert len(results.tests) == 9
    assert file in said


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("starts", [{"": None}]),
        ("starts", [{"time": "2026-11-21", "command": 0}]),
        ("config", [1]),
        ("config.seed", "zero"),
        ("config.study", {"name": "a"}),
        ("config.model", "flame"),
        ("data", "demo_gaze"),
        ("data.split", {"a": 1}),
        ("versions", ["torch"]),
        ("machine.devices", [None]),
        ("status", None),
    ],
)
def test_a_damaged_run_json_costs_its_run_alone(runs_dir, place, value):
    _set(runs_dir / "gaze1" / "run.json", place, value)
    results, _ = _not_used(runs_dir)
    first, *tests = results.unread
    assert first.path == runs_dir / "gaze1" / "run.json"
    assert str(first.path) in first.reason
    assert [item.path for item in tests] == [runs_dir / "gaze1" / GAZE]
    assert len(results.tests) == 9


@pytest.mark.parametrize("content", [b"\xff\xfe", b"[]"])
@pytest.mark.parametrize("file", ["gaze1/run.json", f"gaze1/{GAZE}"])
def test_what_is_no_json_is_listed(runs_dir, file, content):
    (runs_dir / file).write_bytes(content)
    results, _ = _not_used(runs_dir)
    assert runs_dir / file in [item.path for item in results.unread]
    assert len(results.tests) == 9


@pytest.mark.parametrize(
    ("damage", "epochs"),
    [
        ("2,29,,0.3,three", 2),
        ("2,29,,0.3,1e400", 2),
        ("9" * 5000 + ",29,,0.3,3.0", 2),
        ("2,29,,0.3,3.0,more,and,more", 3),
        ('"' + "x" * 200_000, 2),
    ],
)
def test_a_damaged_line_of_a_log_costs_what_follows_it(runs_dir, damage, epochs):
    log = runs_dir / "gaze1" / "csv/version_0/metrics.csv"
    log.write_text(log.read_text() + damage + "\n")
    results, _ = _not_used(runs_dir)
    run = next(run for run in results.runs if run.name == "gaze1")
    assert run.num_epochs == epochs
    assert len(results.tests) == 10
    assert [item.path for item in results.unread] == [log] * (epochs == 2)


def test_damaged_predictions_are_listed_and_the_summary_is_shown(runs_dir):
    (path,) = (runs_dir / "study/off_seed0").glob("test/*.parquet")
    path.write_bytes(path.read_bytes()[:300])
    results, said = _not_used(runs_dir)
    (item,) = results.unread
    assert path.name in item.reason
    assert len(results.tests) == 10
    assert "predictions are missing" in said


@pytest.mark.parametrize(
    "table",
    [
        pl.DataFrame({"uid": ["a", None], "label": [0, 1], "score": [0.5, 0.5]}),
        pl.DataFrame({"uid": ["a", "b"], "label": [0, 1], "score": [0.5, float("nan")]}),
        pl.DataFrame({"uid": ["a", "b"], "label": ["0", "1"], "score": [0.5, 0.5]}),
        pl.DataFrame({"uid": ["a", "b"], "score": [0.5, 0.5]}),
    ],
)
def test_predictions_with_gaps_are_none(runs_dir, table):
    (path,) = (runs_dir / "study/off_seed0").glob("test/*.parquet")
    table.write_parquet(path)
    results, _ = _not_used(runs_dir)
    assert len(results.unread) == 1
    assert len(results.tests) == 10


def test_the_page_is_there_and_lists_what_is_not_used(runs_dir):
    (predictions,) = (runs_dir / "study/off_seed0").glob("test/*.parquet")
    damaged = [
        *(runs_dir / "gaze0" / "run.json", runs_dir / "gaze1" / GAZE),
        *(runs_dir / "lam2" / LAM, runs_dir / "gaze2" / "csv/version_0/metrics.csv"),
        predictions,
    ]
    for path in damaged:
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2] + b"\xff\0")
    (runs_dir / "lam0/predict/x/folder.jpg").mkdir(parents=True)
    said = write_undrawn(runs_dir)
    page = (runs_dir / "report/index.html").read_text()
    for path in damaged[:-1]:
        assert path.relative_to(runs_dir).as_posix() in page
        assert path.relative_to(runs_dir).as_posix() in said
    assert predictions.name in page


def test_a_damaged_fold_is_no_part_of_its_row(tmp_path):
    plan = study_plan("folds", rows=("flame",), seeds=(0, 1))
    for seed in plan["seeds"]:
        run = write_gaze_job(tmp_path / "folds", plan, "flame", seed, errors_deg={"demo_gaze": 3.0})
        _set(next(run.glob("test/*.json")), "fold", {"number": seed, "of": 2})
        change_run(run, {"config.data.datamodule": {"num_folds": 2}})
    _set(next((tmp_path / "folds/flame_seed1").glob("test/*.json")), "baselines", {"a": "b"})
    results, _ = _not_used(tmp_path)
    assert len(results.unread) == 1
