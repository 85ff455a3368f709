"""What the report reads: finished runs and each test once; the rest is listed with the reason."""

import json
import re

import pytest
from builders.small_reports import only_group, write_undrawn
from builders.small_runs import write_log, write_run, write_test

from common.report.reading import read_results
from common.report.tables.runs import unfinished_table


def test_a_later_start_continues_the_learning_curve(gaze_dir):
    assert read_results(gaze_dir).runs[0].val_curve == {0: 8.0, 1: 6.0, 2: 5.0}


def test_unfinished_runs_are_listed_with_their_status(gaze_dir):
    status = "interrupted"
    run = write_run(gaze_dir / "deep/er/x", status=status, time="2026-11-21T13:00:00+00:00")
    write_log(run, 0, ["0,9,,,8.0"])
    rows = unfinished_table(read_results(gaze_dir)).rows
    assert rows[0][:2] == ["3", "failed"]
    assert rows[1] == ["4", status, "flame", "demo_gaze", "0", "1/3", "8.00", "deep/er/x"]
    text = write_undrawn(gaze_dir)
    page_text = (gaze_dir / "report/index.html").read_text()
    assert "deep/er/x" in text
    assert "deep/er/x" in page_text
    assert f'<span class="{status}">{status}</span>' in page_text


def test_tests_of_an_original_checkpoint_count_although_it_has_no_run(gaze_dir):
    write_test(
        gaze_dir / "original_x",
        "predict/demo_gaze_test",
        split="cross_person_seed0",
        gaze_convention="columbia_target_angles",
    )
    rows = only_group(gaze_dir).table.rows
    assert ["4", "mmtm-fusion", "3.25 +- 1.50"] in [row[:3] for row in rows]
    assert "original_x" not in [row[-1] for row in unfinished_table(read_results(gaze_dir)).rows]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (json.dumps({"mean_deg": 3.0}), "None"),
        (json.dumps({"kind": "gaze_angle_test", "model": "x"}), "trained_on, tested_on"),
    ],
)
def test_files_that_cannot_be_used_are_named_with_the_reason(gaze_dir, content, reason):
    (gaze_dir / "b/test/old.json").write_text(content)
    assert re.search(rf"b/test/old.json +.*{reason}", write_undrawn(gaze_dir))


def test_a_damaged_run_is_named_and_stops_nothing(gaze_dir):
    (gaze_dir / "broken_run/run.json").write_text("{")
    text = write_undrawn(gaze_dir)
    assert re.search(r"damaged .*broken_run", text)
    assert "3.25 +- 1.50" in text


def test_a_debug_run_is_listed_but_is_no_result(gaze_dir):
    before = read_results(gaze_dir)
    trial = write_run(gaze_dir / "trial", debug="fast", time="2026-11-21T09:00:00+00:00")
    write_test(trial, mean_deg=1.25)
    after = read_results(gaze_dir)
    assert (after.runs, after.tests) == (before.runs, before.tests)
    text = write_undrawn(gaze_dir)
    assert re.search(r"Files not used\n.*\n.*\ntrial/run.json +debug=fast: no result\n", text)
    assert "1.25" not in text


def test_a_replay_is_listed_and_not_counted_beside_its_run(gaze_dir):
    again = write_run(gaze_dir / "again", time="2026-11-21T09:00:00+00:00")
    write_test(again)
    snapshot = json.loads((again / "run.json").read_text())
    snapshot["config"]["replay"] = "runs/flame"
    (again / "run.json").write_text(json.dumps(snapshot))
    assert re.search(r"again/run.json +replay of runs/flame: no result", write_undrawn(gaze_dir))
    assert not any(run.folder == again for run in read_results(gaze_dir).runs)


def test_debug_runs_alone_make_a_report_without_results(tmp_path):
    write_test(write_run(tmp_path / "trial", debug="overfit"))
    assert "debug=overfit: no result" in write_undrawn(tmp_path)


def test_a_test_that_was_repeated_is_shown_once(gaze_dir):
    def write_predictions(where, text):
        write_test(gaze_dir / "b", where, mean_deg=4.5, split="cross_person_seed0")
        (path,) = (gaze_dir / "b" / where).glob("*.json")
        path.with_suffix(".csv").write_text(text)

    write_predictions("test", "1,2,3")
    write_predictions("predict/demo_gaze_test", "1,2,3")
    write_predictions("predict/last_checkpoint", "1,2,4")
    found = [test.folder for test in read_results(gaze_dir).tests if test.run.name == "b"]
    assert found == ["test", "predict/last_checkpoint"]


def test_a_test_of_an_earlier_start_is_no_result_of_a_run_that_failed_since(gaze_dir):
    run = write_run(gaze_dir / "again", status="failed", time="2026-11-21T13:00:00+00:00")
    write_test(run)
    results = read_results(gaze_dir)
    assert "again" not in {test.run.name for test in results.tests}
    assert "of an earlier start; the last one: failed" in {item.reason for item in results.unread}
