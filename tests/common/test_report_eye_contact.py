import csv
import json
import math
import re

import pytest
from fabricated_runs import (
    LAM_BASELINES,
    LAM_HEADER,
    PROTOCOL,
    lam_slice,
    lam_summary,
    write_lam_run,
    write_lam_test,
    write_log,
    write_run,
    write_test,
)

from common.report import write_report
from common.report_eye_contact import EYE_CONTACT
from common.report_figures import save_bars, save_learning_curves
from common.report_kinds import kind_named, kind_optimising, validation_shown
from common.report_names import name_of_run, name_of_test
from common.report_runs import read_results
from common.report_slices import slice_table
from common.report_table import group_by_protocol, result_table, unfinished_table


@pytest.fixture
def runs_dir(tmp_path):
    runs = tmp_path / "runs"
    lstm = write_lam_run(runs / "lstm", model="gazelstm", dropout="none")
    write_log(lstm, 0, ["0,9,0.5,,", "0,9,,0.6,0.62", "1,19,,0.5,0.71"], LAM_HEADER)
    write_lam_test(lstm, model="gazelstm", map=0.71, protocol=PROTOCOL | {"dropout": "none"})
    pose = write_lam_run(runs / "pose", seed=1, time="2026-11-22T11:00:00+00:00")
    write_lam_test(pose)
    return runs


@pytest.fixture
def both_dir(runs_dir):
    flame = write_run(runs_dir / "flame")
    write_log(flame, 0, ["0,9,,,8.0", "1,19,,,7.0"])
    write_test(flame)
    return runs_dir


def only_group(runs_dir):
    ((protocol, tests),) = group_by_protocol(read_results(runs_dir).tests).items()
    return protocol, tests


def column(runs_dir, name):
    table = result_table(*only_group(runs_dir))
    return [row[list(table.columns).index(name)] for row in table.rows]


def test_a_table_holds_the_baselines_first_and_a_row_a_test_in_per_cent(runs_dir):
    table = result_table(*only_group(runs_dir))
    assert table.columns == [
        *("#", "model", "priors", "dropout", "other settings", "seed", "epochs", "mAP [%]"),
        *("95 % interval", "AP LAM", "AP not LAM", "accuracy", "trained on"),
        *("status", "files"),
    ]
    assert [row[1:2] + row[7:8] for row in table.rows[:3]] == [
        ["constant score", "50.00"],
        ["head pose alone", "61.25"],
        ["sharpness alone", "53.00"],
    ]
    assert table.rows[3:] == [
        [
            *("1", "gazelstm", "-", "none", "", "0", "2/10", "71.00", "[70.00, 82.51]", "60.00"),
            *("94.03", "87.50", "demo_lam", "finished", "test"),
        ],
        [
            *("2", "gazepose", "all", "gaussian", "", "1", "-/10", "77.02", "[70.00, 82.51]"),
            *("60.00", "94.03", "87.50", "demo_lam", "finished", "test"),
        ],
    ]


def test_the_caption_names_the_protocol(runs_dir):
    assert only_group(runs_dir)[0].caption == (
        "demo_lam, val part (n = 1200, positive: 300, clips: 2); eye contact; stride: 13"
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"tested_on": "ego4d"},
        {"part": "train"},
        {"stride": 1},
        {"num_samples": 1201},
        {"num_positive": 301},
        {"baselines": LAM_BASELINES | {"head_pose": 0.62}},
        {"by": {"clip": [lam_slice("a", 700, 100, 0.8), lam_slice("c", 500, 200, 0.75)]}},
        {"by": {"clip": [lam_slice("a", 700, 101, 0.8), lam_slice("b", 500, 199, 0.75)]}},
    ],
)
def test_another_protocol_gets_another_table(runs_dir, changes):
    write_lam_test(write_lam_run(runs_dir / "other"), **changes)
    assert sorted(map(len, group_by_protocol(read_results(runs_dir).tests).values())) == [1, 2]


@pytest.mark.parametrize("priors", ["none", "head", "landmarks", "all"])
def test_priors_are_called_as_their_choice(runs_dir, priors):
    write_lam_test(write_lam_run(runs_dir / "other", priors=priors))
    assert sorted(column(runs_dir, "priors")[3:]) == sorted(["-", "all", priors])


def test_settings_that_vary_are_named_and_others_are_not(runs_dir):
    write_lam_test(write_lam_run(runs_dir / "coarse", split=5.0))
    assert column(runs_dir, "other settings")[3:] == ["", "split 1.0", "split 5.0"]
    _, tests = only_group(runs_dir)
    assert [name_of_test(test, tests) for test in tests] == [
        "#2 gazelstm, dropout none, seed 0",
        "#3 gazepose, priors all, dropout gaussian, split 1.0, seed 1",
        "#1 gazepose, priors all, dropout gaussian, split 5.0, seed 0",
    ]
    assert name_of_run(tests[1].run, [tests[1].run]) == (
        "#3 gazepose, priors all, dropout gaussian, seed 1"
    )


def test_another_size_of_the_net_is_named(runs_dir):
    folder = write_lam_run(runs_dir / "small")
    snapshot = json.loads((folder / "run.json").read_text())
    snapshot["config"]["model"]["transformer"] = {"width": 64}
    snapshot["config"]["model"]["backbone"] |= {"width": 8}
    (folder / "run.json").write_text(json.dumps(snapshot))
    path = runs_dir / "pose" / "run.json"
    changed = json.loads(path.read_text())
    changed["config"]["model"]["transformer"] = {"width": 512}
    path.write_text(json.dumps(changed))
    write_lam_test(folder)
    assert sorted(column(runs_dir, "other settings")[3:]) == [
        "backbone width 16",
        "backbone width 16, transformer width 512",
        "backbone width 8, transformer width 64",
    ]


def test_a_test_otherwise_than_trained_is_named(runs_dir):
    changed = PROTOCOL | {"dropout": "none", "smoothing": {"kind": "median", "width_frames": 5}}
    write_lam_test(runs_dir / "pose", "predict/smooth", protocol=changed)
    for path in runs_dir.rglob("test/*.json"):
        summary = json.loads(path.read_text())
        summary["protocol"]["smoothing"] = None
        path.write_text(json.dumps(summary))
    assert column(runs_dir, "other settings")[3:] == [
        *("", "", "tested with dropout none, smoothing median (width_frames 5)")
    ]


def test_values_that_are_not_defined_are_dashes(runs_dir):
    unknown = {"constant": 0.5, "head_pose": None, "sharpness": math.nan}
    changes = {"map": None, "ap_lam": None, "interval_over_clips": None, "baselines": unknown}
    for name in ("x", "y"):
        write_lam_test(write_lam_run(runs_dir / name), tested_on="no_positives", **changes)
    groups = group_by_protocol(read_results(runs_dir).tests)
    (protocol, tests), *_ = ((p, t) for p, t in groups.items() if p.tested_on == "no_positives")
    rows = result_table(protocol, tests).rows
    assert [row[1] for row in rows] == ["constant score", "gazepose", "gazepose"]
    assert [row[7:10] for row in rows[1:]] == [["-", "-", "-"]] * 2
    save_bars(protocol, tests, runs_dir / "bars.png")
    assert "no_positives, val: highest mAP of 2" in page_of(runs_dir)


def test_the_best_is_the_highest(runs_dir):
    write_lam_test(write_lam_run(runs_dir / "undefined"), map=None)
    _, tests = only_group(runs_dir)
    best = EYE_CONTACT.measure.best_of(tests)
    assert (best.run.name, best.summary["map"]) == ("pose", 0.77018)
    assert "77.02 %" in page_of(runs_dir)


def page_of(runs_dir):
    write_report(runs_dir)
    return (runs_dir / "report/index.html").read_text()


def test_slices_stand_side_by_side(runs_dir):
    by = lam_summary()["by"] | {"sharpness": [lam_slice("high", 600, 150, 0.9)]}
    write_lam_test(runs_dir / "pose", "predict/again", by=by)
    table = slice_table(*only_group(runs_dir))
    assert table.columns == ["by", "slice", "n", "positive", "#1", "#2", "#2 (2)"]
    assert table.rows[:3] == [
        ["sharpness", "low", "600", "150", "70.00", "70.00", "-"],
        ["sharpness", "high", "600", "150", "85.00", "85.00", "90.00"],
        ["face size [px]", "below 60 px", "400", "0", "-", "-", "-"],
    ]
    text = page_of(runs_dir)
    assert "images/map_1_slices.png" in text
    assert "mAP [%] by slice: demo\\_lam" in (runs_dir / "report/table.md").read_text()


def test_nothing_sliced_gives_no_slices(runs_dir):
    for path in runs_dir.rglob("test/*.json"):
        summary = json.loads(path.read_text())
        summary["by"] = {"clip": summary["by"]["clip"]}
        path.write_text(json.dumps(summary))
    assert "mAP by slice" not in page_of(runs_dir).replace("recall, mAP by slice", "")


def test_learning_curves_of_both_kinds_are_separate_figures(both_dir):
    text = page_of(both_dir)
    assert "val/angular_error_deg on the val part of demo_gaze" in text
    assert "val/map on the val part of demo_lam" in text
    assert {path.name for path in (both_dir / "report/images").glob("curves*")} == {
        *("curves_1.png", "curves_2.png")
    }


def test_a_metric_of_no_kind_is_drawn_under_its_own_name(runs_dir, tmp_path):
    shown = validation_shown("val/loss")
    assert (shown.axis, shown.column, shown.factor) == ("val/loss", "last val/loss", 1.0)
    run = read_results(runs_dir).runs[0]
    save_learning_curves([run], "val/loss", tmp_path / "curves.png")
    assert (tmp_path / "curves.png").is_file()


def test_a_folder_of_both_kinds_has_a_section_for_each(both_dir):
    text = page_of(both_dir)
    titles = ["demo_gaze, test part", "demo_lam, val part: eye contact", "Learning curves"]
    assert re.findall("<h2>([^<]*)", text)[:3] == titles
    assert "Error: the angle between" in text
    assert "mAP: the mean of the average precisions" in text
    assert {"errors_1.png", "map_2.png", "map_2_slices.png", "map_2_test_1.png"} <= {
        path.name for path in (both_dir / "report/images").iterdir()
    }


def test_a_folder_of_one_kind_explains_only_that(runs_dir):
    assert "Error: the angle between" not in page_of(runs_dir)


def test_unfinished_runs_of_both_kinds_keep_their_units(both_dir):
    flame = write_run(both_dir / "x", status="failed", time="2026-11-23T10:00:00+00:00")
    write_log(flame, 0, ["0,9,,,8.0"])
    pose = write_lam_run(both_dir / "y", status="failed", time="2026-11-23T11:00:00+00:00")
    write_log(pose, 0, ["0,9,,0.6,0.625"], LAM_HEADER)
    table = unfinished_table(read_results(both_dir))
    assert list(table.columns[6:8]) == ["last val error", "last val mAP"]
    assert [row[6:8] for row in table.rows] == [["8.00", "-"], ["-", "62.50"]]


def test_csv_holds_both_kinds_unrounded(both_dir):
    write_report(both_dir)
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


def test_a_repeated_test_is_shown_once(runs_dir):
    for where in ("test", "predict/demo_lam_val"):
        path = write_lam_test(runs_dir / "pose", where)
        path.with_name(f"{path.stem}_pred.csv").write_text("a,1,0,0,9,9,t,1,0.5\n")
    found = [test.folder for test in read_results(runs_dir).tests if test.run.name == "pose"]
    assert found == ["test"]


def test_an_original_without_a_run_is_called_by_its_model_and_dropout(runs_dir):
    write_lam_test(runs_dir / "original_x", "predict/demo_lam_val")
    assert (column(runs_dir, "model")[-1], column(runs_dir, "dropout")[-1]) == (
        *("gazepose", "gaussian"),
    )


def test_what_a_summary_lacks_is_named(runs_dir):
    summary = lam_summary()
    del summary["ap_lam"], summary["by"]
    (runs_dir / "pose/test/old.json").write_text(json.dumps(summary))
    assert re.search(r"pose/test/old.json +lacks ap_lam, by; test again", write_report(runs_dir))


def test_kinds_are_found_by_summary_and_by_metric():
    assert kind_named("eye_contact_test") is kind_optimising("val/map") is EYE_CONTACT
    assert kind_optimising("val/loss") is None
    with pytest.raises(ValueError, match="kind is 'x', expected 'gaze_angle_test' or 'eye_"):
        kind_named("x")
