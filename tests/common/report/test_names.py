"""What the report calls a run: its net, its choices, and the settings that vary."""

import json

import pytest
from builders.small_reports import column, only_group
from builders.small_runs import PROTOCOL, change_run, write_lam_run, write_lam_test

from common.report.tables.runs import name_of_run


@pytest.mark.parametrize("priors", ["none", "head", "landmarks"])
def test_priors_are_called_as_their_choice(lam_dir, priors):
    write_lam_test(write_lam_run(lam_dir / "other", priors=priors))
    assert sorted(column(lam_dir, "priors")[3:]) == sorted(["-", "all", priors])


def test_settings_that_vary_are_named_and_others_are_not(lam_dir):
    write_lam_test(write_lam_run(lam_dir / "coarse", split=5.0))
    assert column(lam_dir, "other settings")[3:] == ["", "split 1.0", "split 5.0"]
    group = only_group(lam_dir)
    assert group.names == [
        "#2 gazelstm, dropout none, seed 0",
        "#3 gazepose, priors all, dropout gaussian, split 1.0, seed 1",
        "#1 gazepose, priors all, dropout gaussian, split 5.0, seed 0",
    ]
    assert name_of_run(group.tests[1].run, [group.tests[1].run]) == (
        "#3 gazepose, priors all, dropout gaussian, seed 1"
    )


def test_what_only_one_training_has_switched_on_is_named(gaze_dir):
    assert "other settings" not in only_group(gaze_dir).table.columns
    change_run(gaze_dir / "b", {"config.data.datamodule.photometric.strength": 0.5})
    assert column(gaze_dir, "other settings")[2:] == ["", "photometric 0.5"]


def test_another_size_of_the_net_is_named(lam_dir):
    folder = write_lam_run(lam_dir / "small")
    snapshot = json.loads((folder / "run.json").read_text())
    snapshot["config"]["model"]["transformer"] = {"width": 64}
    snapshot["config"]["model"]["backbone"] |= {"width": 8}
    (folder / "run.json").write_text(json.dumps(snapshot))
    path = lam_dir / "pose" / "run.json"
    changed = json.loads(path.read_text())
    changed["config"]["model"]["transformer"] = {"width": 512}
    path.write_text(json.dumps(changed))
    write_lam_test(folder)
    assert sorted(column(lam_dir, "other settings")[3:]) == [
        "backbone width 16",
        "backbone width 16, transformer width 512",
        "backbone width 8, transformer width 64",
    ]


def test_a_test_otherwise_than_trained_is_named(lam_dir):
    changed = PROTOCOL | {"dropout": "none", "smoothing": {"kind": "median", "width_frames": 5}}
    write_lam_test(lam_dir / "pose", "predict/smooth", protocol=changed)
    for path in lam_dir.rglob("test/*.json"):
        summary = json.loads(path.read_text())
        summary["protocol"]["smoothing"] = None
        path.write_text(json.dumps(summary))
    assert column(lam_dir, "other settings")[3:] == [
        *("", "", "tested with dropout none, smoothing median (width_frames 5)")
    ]


def test_an_original_without_a_run_is_called_by_its_model_and_dropout(lam_dir):
    write_lam_test(lam_dir / "original_x", "predict/demo_lam_val")
    assert (column(lam_dir, "model")[-1], column(lam_dir, "dropout")[-1]) == (
        *("gazepose", "gaussian"),
    )
