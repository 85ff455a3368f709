"""Gaze angles and eye contact in one report: each kind has its section, figures and units."""

import csv
import re
from html import unescape

import numpy as np
import polars as pl
import pytest
from builders.kept_figures import kept_figures
from builders.small_reports import page_of, write_undrawn
from builders.small_runs import (
    LAM_HEADER,
    change_run,
    study_plan,
    write_gaze_job,
    write_lam_job,
    write_lam_run,
    write_log,
    write_run,
    write_test,
)

from common.report.command import write_report
from common.report.figures import Line, save_curves
from common.report.kinds.eye_contact import EyeContactTest
from common.report.kinds.gaze_angle import GazeAngleTest
from common.report.kinds.registry import KINDS, kind_named, kind_optimising, validation_shown
from common.report.reading import read_results
from common.report.tables.runs import name_of_run, unfinished_table


@pytest.fixture
def both_dir(lam_dir):
    flame = write_run(lam_dir / "flame")
    write_log(flame, 0, ["0,9,,,8.0", "1,19,,,7.0"])
    write_test(flame)
    return lam_dir


def test_learning_curves_of_both_kinds_are_separate_figures(both_dir):
    text = page_of(both_dir)
    assert re.search("val/angular_error_deg .* demo_gaze", text)
    assert re.search("val/map .* demo_lam", text)
    assert {path.name for path in (both_dir / "report/images").glob("curves*")} == {
        *("curves_1.png", "curves_2.png")
    }


def test_a_metric_of_no_kind_is_drawn_under_its_own_name(lam_dir, tmp_path):
    shown = validation_shown("val/loss")
    assert (shown.axis, shown.column, shown.factor) == ("val/loss", "last val/loss", 1.0)
    run = read_results(lam_dir).runs[0]
    save_curves([Line(run.name, [run.val_curve])], "val/loss", tmp_path / "curves.png")
    assert (tmp_path / "curves.png").is_file()
    change_run(run.folder, {"config.optimized_metric": "val/loss"})
    runs = read_results(lam_dir).runs
    assert name_of_run(runs[0], runs) == "#1 gazelstm, seed 0"


def test_of_curves_of_one_epoch_the_spread_is_a_bar(tmp_path, monkeypatch):
    kept = kept_figures(monkeypatch)
    save_curves([Line("two", [{0: 2.0}, {0: 4.0, 1: 9.0}])], "val/loss", tmp_path / "curves.png")
    (bars,) = kept[0].axes[0].containers
    ((low, high),) = bars.lines[2][0].get_segments()
    np.testing.assert_allclose([low, high], [[1, 3 - 2**0.5], [1, 3 + 2**0.5]])


def is_explained(kind, page):
    return kind.explanation.replace("+-", "\u00b1") in unescape(page)


def test_a_folder_of_both_kinds_has_a_section_for_each(both_dir):
    write_report(both_dir)
    text = (both_dir / "report/index.html").read_text()
    titles = ["demo_gaze, test part", "demo_lam, val part: eye contact", "Learning curves"]
    assert re.findall("<h2>([^<]*)", text)[:3] == titles
    assert all(is_explained(kind, text) for kind in KINDS)
    assert {"errors_1.png", "map_2.png", "map_2_slices.png", "map_2_test_1.png"} <= {
        path.name for path in (both_dir / "report/images").iterdir()
    }


def test_a_folder_of_one_kind_explains_only_that(lam_dir):
    assert not is_explained(GazeAngleTest, page_of(lam_dir))


def test_unfinished_runs_of_both_kinds_keep_their_units(both_dir):
    flame = write_run(both_dir / "x", status="failed", time="2026-11-23T10:00:00+00:00")
    write_log(flame, 0, ["0,9,,,8.0"])
    pose = write_lam_run(both_dir / "y", status="failed", time="2026-11-23T11:00:00+00:00")
    write_log(pose, 0, ["0,9,,0.6,0.625"], LAM_HEADER)
    table = unfinished_table(read_results(both_dir))
    assert list(table.columns[6:8]) == ["last val error", "last val mAP"]
    assert [row[6:8] for row in table.rows] == [["8.00", "-"], ["-", "62.50"]]


def test_csv_holds_both_kinds_unrounded(both_dir):
    write_undrawn(both_dir)
    with (both_dir / "report/table.csv").open(newline="") as file:
        rows = {row["run"]: row for row in csv.DictReader(file)}
    assert rows["flame"]["kind"] == "gaze_angle_test"
    assert rows["flame"]["map"] == rows["pose"]["mean_deg"] == ""
    assert rows["flame"]["mean_deg"] == "3.25"
    expected = {
        **{"kind": "eye_contact_test", "model": "gazepose", "priors": "all", "stride": "13"},
        **{"dropout": "gaussian", "landmark_source": "mesh", "head_pose_source": "mesh"},
        **{"num_samples": "1200", "num_positive": "300", "num_clips": "2", "map": "0.77018"},
        **{"ap_lam": "0.60001", "ap_not_lam": "0.94035", "accuracy": "0.875"},
        **{"clips_low": "0.7", "clips_high": "0.8251", "head_pose_baseline": "0.6125"},
    }
    assert expected.items() <= rows["pose"].items()
    assert rows["lstm"]["priors"] == ""


def test_kinds_are_found_by_summary_and_by_metric():
    assert kind_named("eye_contact_test") is kind_optimising("val/map") is EyeContactTest
    assert kind_optimising("val/loss") is None
    with pytest.raises(ValueError, match=r"'x'.*'gaze_angle_test'.*'eye_contact_test'"):
        kind_named("x")


def drawn_once(num_clusters):
    return np.ones((1, num_clusters), dtype=np.int64)


def test_samples_beside_a_summary_give_its_number(tmp_path):
    plan = study_plan(rows=("off",), seeds=(0,))
    write_lam_job(tmp_path / "a", plan, "off", 0, skill=0.2)
    write_gaze_job(tmp_path / "b", plan, "off", 0, errors_deg={"demo_gaze": 3.0})
    tests = read_results(tmp_path).tests
    assert {test.kind_name for test in tests} == {"eye_contact_test", "gaze_angle_test"}
    for test in tests:
        samples = test.samples()
        (value,) = samples.measured(drawn_once(len(samples.clusters)))
        assert value == pytest.approx(test.value)


def test_unknown_labels_are_no_samples(tmp_path):
    run = write_lam_job(tmp_path / "a", study_plan(), "off", 0, skill=0.2)
    (path,) = run.glob("test/*.parquet")
    table = pl.read_parquet(path)
    pl.concat([table, table.with_columns(label=pl.lit(-1, pl.Int64))]).write_parquet(path)
    (test,) = read_results(tmp_path).tests
    (value,) = test.samples().measured(drawn_once(6))
    assert value == pytest.approx(test.summary["map"])
