"""Tables of eye contact: baselines first, per cent, one protocol, slices side by side."""

import csv
import json
import math

import pytest
from builders.kept_figures import kept_figures
from builders.small_reports import only_group, page_of, write_undrawn
from builders.small_runs import (
    LAM_BASELINES,
    lam_slice,
    lam_summary,
    write_lam_run,
    write_lam_test,
)

from common.report.figures import save_group_bars, save_slices
from common.report.reading import read_results
from common.report.tables.groups import group_by_protocol


def test_a_table_holds_the_baselines_first_and_a_row_a_test_in_per_cent(lam_dir):
    table = only_group(lam_dir).table
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


def test_the_caption_names_the_protocol(lam_dir):
    assert only_group(lam_dir).protocol.caption == (
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
def test_another_protocol_gets_another_table(lam_dir, changes):
    write_lam_test(write_lam_run(lam_dir / "other"), **changes)
    groups = group_by_protocol(read_results(lam_dir).tests)
    assert sorted(len(group.tests) for group in groups) == [1, 2]


def test_values_that_are_not_defined_are_dashes(lam_dir):
    unknown = {"constant": 0.5, "head_pose": None, "sharpness": math.nan}
    changes = {"map": None, "ap_lam": None, "interval_over_clips": None, "baselines": unknown}
    for name in ("x", "y"):
        write_lam_test(write_lam_run(lam_dir / name), tested_on="no_positives", **changes)
    groups = group_by_protocol(read_results(lam_dir).tests)
    group = next(group for group in groups if group.protocol.tested_on == "no_positives")
    rows = group.table.rows
    assert [row[1] for row in rows] == ["constant score", "gazepose", "gazepose"]
    assert [row[7:10] for row in rows[1:]] == [["-", "-", "-"]] * 2
    save_group_bars(group, lam_dir / "bars.png")
    assert "no_positives, val: highest mAP of 2" in page_of(lam_dir)


def test_a_figure_has_a_legend_of_what_there_is_and_no_empty_panel(lam_dir, monkeypatch):
    kept = kept_figures(monkeypatch)
    unknown = dict.fromkeys(LAM_BASELINES)
    by = {name: lam_summary()["by"][name] for name in ("sharpness", "clip")}
    write_lam_test(write_lam_run(lam_dir / "x"), tested_on="other", baselines=unknown, by=by)
    groups = group_by_protocol(read_results(lam_dir).tests)
    (group,) = (group for group in groups if group.protocol.tested_on == "other")
    save_group_bars(group, lam_dir / "bars.png")
    save_slices(group, lam_dir / "slices.png")
    bars, slices = kept
    assert bars.legends == []
    assert [axis.axison for axis in slices.axes] == [True, False]


def test_the_best_is_the_highest(lam_dir):
    write_lam_test(write_lam_run(lam_dir / "undefined"), map=None)
    card = "<div>demo_lam, val: highest mAP of 3</div><strong>77.02 %</strong><div>#3 gazepose"
    assert card in page_of(lam_dir)


def test_slices_stand_side_by_side(lam_dir):
    by = lam_summary()["by"] | {"sharpness": [lam_slice("high", 600, 150, 0.9)]}
    write_lam_test(lam_dir / "pose", "predict/again", by=by)
    table = only_group(lam_dir).slice_table
    assert table.columns == ["by", "slice", "n", "positive", "#1", "#2", "#2 (2)"]
    assert table.rows[:3] == [
        ["sharpness", "low", "600", "150", "70.00", "70.00", "-"],
        ["sharpness", "high", "600", "150", "85.00", "85.00", "90.00"],
        ["face size [px]", "below 60 px", "400", "0", "-", "-", "-"],
    ]
    text = page_of(lam_dir)
    assert "images/map_1_slices.png" in text
    assert "mAP [%] by slice: demo\\_lam" in (lam_dir / "report/table.md").read_text()


def test_nothing_sliced_gives_no_slices(lam_dir):
    for path in lam_dir.rglob("test/*.json"):
        summary = json.loads(path.read_text())
        summary["by"] = {"clip": summary["by"]["clip"]}
        path.write_text(json.dumps(summary))
    assert only_group(lam_dir).slice_table.rows == []
    assert "_slices.png" not in page_of(lam_dir)


def test_a_repeated_test_is_shown_once(lam_dir):
    for where in ("test", "predict/demo_lam_val"):
        path = write_lam_test(lam_dir / "pose", where)
        path.with_name(f"{path.stem}_pred.csv").write_text("a,1,0,0,9,9,t,1,0.5\n")
    found = [test.folder for test in read_results(lam_dir).tests if test.run.name == "pose"]
    assert found == ["test"]


AT_THRESHOLD = {
    "threshold": 0.3125,
    "rule": "greatest F1",
    "chosen_on": "demo_lam, val part",
    "is_chosen_here": True,
    **{"precision": 0.6, "recall": 0.75, "f1": 2 / 3, "kappa": 0.5555, "accuracy": 0.9},
    "confusion": [[750, 150], [75, 225]],
    "f1_interval_over_clips": {"low": 0.5, "high": 0.8},
    "kappa_interval_over_clips": None,
}
EVENTS = {"f1": 0.4, "num_true": 10, "time_resolution_s": 0.1}


def test_decisions_at_a_threshold_stand_beside_the_accuracy(lam_dir):
    write_lam_test(lam_dir / "pose", at_threshold=AT_THRESHOLD, events=None)
    table = only_group(lam_dir).table
    place = table.columns.index("accuracy") + 1
    assert table.columns[place : place + 4] == ["threshold", "F1", "kappa", "trained on"]
    # A test of before knows of none.
    assert [row[place : place + 3] for row in table.rows[3:]] == [
        ["-", "-", "-"],
        ["0.312*", "66.67", "0.555"],
    ]


def test_events_are_a_column_where_a_test_has_them(lam_dir):
    write_lam_test(lam_dir / "pose", at_threshold=AT_THRESHOLD, events=EVENTS)
    table = only_group(lam_dir).table
    place = table.columns.index("event F1")
    assert [row[place] for row in table.rows[3:]] == ["-", "40.00"]


def test_the_csv_has_decisions_and_events(lam_dir):
    write_lam_test(lam_dir / "pose", at_threshold=AT_THRESHOLD, events=EVENTS)
    write_undrawn(lam_dir)
    old, new = csv.DictReader((lam_dir / "report" / "table.csv").read_text().splitlines())
    assert (new["threshold"], new["threshold_rule"]) == ("0.3125", "greatest F1")
    assert (new["kappa"], new["precision_lam"], new["f1_low"]) == ("0.5555", "0.6", "0.5")
    assert (new["event_f1"], new["event_time_resolution_s"]) == ("0.4", "0.1")
    assert new["kappa_low"] == old["threshold"] == old["event_f1"] == ""
