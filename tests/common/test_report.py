import csv
import json
import re
import shutil
from html.parser import HTMLParser

import pytest
from fabricated_runs import write_log, write_run, write_test

from common.report import main, write_report
from common.report_formats import Table, as_latex, as_markdown, as_text
from common.report_html import node, page
from common.report_runs import read_results
from common.report_table import group_by_protocol, result_table, unfinished_table


@pytest.fixture
def runs_dir(tmp_path):
    runs = tmp_path / "runs"
    first = write_run(runs / "sweep/0")
    write_log(first, 0, ["0,9,,,8.0", "0,9,,0.5,", "1,19,,,7.0", ",19,,,"])
    write_log(first, 10, ["2,29,,,5.0", "3,29,4.0,,"])
    write_log(first, 9, ["1,19,,,6.0"])
    write_test(first)
    second = write_run(runs / "b", name="flame_b", seed=1, time="2026-11-21T11:00:00+00:00")
    write_test(second, mean_deg=4.5, std_deg=None, interval_over_subjects_deg=None)
    write_run(runs / "broken_run", status="failed", time="2026-11-21T12:00:00+00:00")
    return runs


def only_group(runs_dir):
    groups = group_by_protocol(read_results(runs_dir).tests)
    ((protocol, tests),) = groups.items()
    return protocol, tests


def test_a_table_holds_the_baselines_first_and_a_row_a_test(runs_dir):
    assert result_table(*only_group(runs_dir)).rows == [
        ["", "mean of the train part", "12.35", "", "", "", "", "40", "", "", ""],
        ["", "head pose as gaze", "9.88", "", "", "", "", "40", "", "", ""],
        [
            *("1", "flame", "3.25 +- 1.50", "[2.75, 3.88]", "16", "demo_gaze", "0", "40"),
            *("3/3", "finished", "test"),
        ],
        ["2", "flame_b", "4.50", "-", "16", "demo_gaze", "1", "40", "-/3", "finished", "test"],
    ]


def test_the_caption_names_the_protocol(runs_dir):
    assert only_group(runs_dir)[0].caption == (
        "demo_gaze, test part (n = 40, subjects: 1); split: cross_person_seed0; eyes: parity; "
        "gaze convention: columbia_target_angles"
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"tested_on": "eyediap"},
        {"part": "val"},
        {"split": "random_seed0"},
        {"eye_rule": "both"},
        {"gaze_convention": "eyediap_published"},
        {"num_samples": 41},
        {"by": {"subject": [{"slice": "0002", "num_samples": 40, "mean_deg": 3.25}]}},
        {"baselines": {"head_pose_deg": 9.876, "train_mean_deg": 12.4}},
    ],
)
def test_another_protocol_gets_another_table(runs_dir, changes):
    write_test(write_run(runs_dir / "other"), **changes)
    assert sorted(map(len, group_by_protocol(read_results(runs_dir).tests).values())) == [1, 2]


def test_a_split_is_not_guessed_for_a_later_test(runs_dir):
    write_test(runs_dir / "b", "predict/demo_gaze_test")
    captions = {protocol.split for protocol in group_by_protocol(read_results(runs_dir).tests)}
    assert captions == {"cross_person_seed0", "not recorded"}
    write_test(
        runs_dir / "b",
        "predict/demo_gaze_test",
        split="cross_person_seed0",
        gaze_convention="columbia_target_angles",
    )
    assert [test.folder for test in only_group(runs_dir)[1]] == [
        *("test", "test", "predict/demo_gaze_test")
    ]


def test_a_later_start_continues_the_learning_curve(runs_dir):
    assert read_results(runs_dir).runs[0].val_curve == {0: 8.0, 1: 6.0, 2: 5.0}


@pytest.mark.parametrize("status", ["failed", "running", "interrupted"])
def test_unfinished_runs_are_listed_with_their_status(runs_dir, status):
    run = write_run(runs_dir / "deep/er/x", status=status, time="2026-11-21T13:00:00+00:00")
    write_log(run, 0, ["0,9,,,8.0"])
    rows = unfinished_table(read_results(runs_dir)).rows
    assert rows[0][:2] == ["3", "failed"]
    assert rows[1] == ["4", status, "flame", "demo_gaze", "0", "1/3", "8.00", "deep/er/x"]
    text = write_report(runs_dir)
    page_text = (runs_dir / "report/index.html").read_text()
    assert "deep/er/x" in text
    assert "deep/er/x" in page_text
    assert f'<span class="{status}">{status}</span>' in page_text


def test_tests_of_an_original_checkpoint_count_although_it_has_no_run(runs_dir):
    write_test(
        runs_dir / "original_x",
        "predict/demo_gaze_test",
        split="cross_person_seed0",
        gaze_convention="columbia_target_angles",
    )
    rows = result_table(*only_group(runs_dir)).rows
    assert ["4", "mmtm-fusion", "3.25 +- 1.50"] in [row[:3] for row in rows]
    assert "original_x" not in [row[-1] for row in unfinished_table(read_results(runs_dir)).rows]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (json.dumps({"mean_deg": 3.0}), "kind is None"),
        (json.dumps([1, 2]), "kind is None"),
        (json.dumps({"kind": "gaze_angle_test", "model": "x"}), "lacks trained_on"),
        ("{", "Expecting property name"),
    ],
)
def test_files_that_cannot_be_used_are_named_with_the_reason(runs_dir, content, reason):
    (runs_dir / "b/test/old.json").write_text(content)
    assert re.search(rf"b/test/old.json +{reason}", write_report(runs_dir))


def test_a_damaged_run_is_named_and_stops_nothing(runs_dir):
    (runs_dir / "broken_run/run.json").write_text("{")
    text = write_report(runs_dir)
    assert re.search(r"damaged .*broken_run", text)
    assert "3.25 +- 1.50" in text


def test_a_debug_run_is_listed_but_is_no_result(runs_dir):
    before = read_results(runs_dir)
    trial = write_run(runs_dir / "trial", debug="fast", time="2026-11-21T09:00:00+00:00")
    write_test(trial, mean_deg=1.25)
    after = read_results(runs_dir)
    assert (after.runs, after.tests) == (before.runs, before.tests)
    text = write_report(runs_dir)
    assert re.search(r"Files not used\n.*\n.*\ntrial/run.json +debug=fast: no result\n", text)
    assert "1.25" not in text


def test_a_replay_is_listed_and_not_counted_beside_its_run(runs_dir):
    again = write_run(runs_dir / "again", time="2026-11-21T09:00:00+00:00")
    write_test(again)
    snapshot = json.loads((again / "run.json").read_text())
    snapshot["config"]["replay"] = "runs/flame"
    (again / "run.json").write_text(json.dumps(snapshot))
    assert re.search(r"again/run.json +replay of runs/flame: no result", write_report(runs_dir))
    assert not any(run.folder == again for run in read_results(runs_dir).runs)


def test_debug_runs_alone_make_a_report_without_results(tmp_path):
    write_test(write_run(tmp_path / "trial", debug="overfit"))
    assert "debug=overfit: no result" in write_report(tmp_path)


def test_a_test_that_was_repeated_is_shown_once(runs_dir):
    def write_predictions(where, text):
        write_test(runs_dir / "b", where, mean_deg=4.5, split="cross_person_seed0")
        (path,) = (runs_dir / "b" / where).glob("*.json")
        path.with_suffix(".csv").write_text(text)

    write_predictions("test", "1,2,3")
    write_predictions("predict/demo_gaze_test", "1,2,3")
    write_predictions("predict/last_checkpoint", "1,2,4")
    found = [test.folder for test in read_results(runs_dir).tests if test.run.name == "b"]
    assert found == ["test", "predict/last_checkpoint"]


def test_csv_round_trip(runs_dir):
    write_report(runs_dir)
    with (runs_dir / "report/table.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["run"] for row in rows] == ["sweep/0", "b"]
    expected = {
        **{"model": "flame", "model_key": "mmtm-fusion", "width": "16", "seed": "0"},
        **{"trained_on": "demo_gaze", "tested_on": "demo_gaze", "part": "test"},
        **{"split": "cross_person_seed0", "eye_rule": "parity", "status": "finished"},
        **{"num_epochs": "3", "max_epochs": "3", "precision": "32-true", "commit": "0123abcd"},
    }
    assert expected.items() <= rows[0].items()
    assert float(rows[0]["mean_deg"]) == 3.25
    assert float(rows[0]["subjects_high_deg"]) == 3.875
    assert float(rows[0]["train_mean_baseline_deg"]) == 12.345
    assert rows[1]["std_deg"] == rows[1]["subjects_low_deg"] == ""


class Links(HTMLParser):
    """Collects what a page refers to."""

    def __init__(self):
        super().__init__()
        self.found = set()

    def handle_starttag(self, tag, attrs):
        self.found |= {value for name, value in attrs if name in ("src", "href")}


def test_the_page_shows_every_run_and_moves_with_its_images(runs_dir, tmp_path):
    for number in range(14):
        photo = runs_dir / f"b/predict/party {number % 2}/{number}.jpg"
        photo.parent.mkdir(parents=True, exist_ok=True)
        photo.write_bytes(b"a photo")
    write_report(runs_dir)
    moved = shutil.move(runs_dir / "report", tmp_path / "elsewhere")
    text = (moved / "index.html").read_text()
    for name in ("sweep/0", "#2 b", "broken_run", "0123abcd + uncommitted changes", "torch 2.15.0"):
        assert name in text
    assert "python train.py model=flame 'name=a b'" in text
    links = Links()
    links.feed(text)
    assert len([link for link in links.found if "photo" in link]) == 12
    assert {"images/errors_1.png", "images/errors_1_test_2.png", "images/curves_1.png"} <= (
        links.found
    )
    assert all((moved / link).is_file() for link in links.found)


def test_names_are_escaped_in_the_page(runs_dir):
    write_run(runs_dir / "<b>&co", name="<script>", status="failed")
    write_report(runs_dir)
    text = (runs_dir / "report/index.html").read_text()
    assert "&lt;b&gt;&amp;co" in text
    assert "<script>" not in text


def test_a_page_needs_nothing_from_elsewhere():
    text = page("title", node("p", "a", node("b", "c"), "d"))
    assert "<p>a<b>c</b>d</p>" in text
    assert "http" not in text
    assert text.isascii()


def test_formats_escape_what_would_break_them():
    table = Table("a_b", ("#", "name"), [["1", "x_y|z & 5 %"]])
    assert r"1 & x\_y$|$z \& 5 \% \\" in as_latex(table)
    assert r"\caption{a\_b}" in as_latex(table)
    assert r"\caption{a\_b}\label{tab:x}" in as_latex(table, "tab:x")
    assert r"$-$1.0 [$-$2.0, 3-4]" in as_latex(Table("", ("n",), [["-1.0 [-2.0, 3-4]"]]))
    assert r"\begin{tabular}{rl}" in as_latex(table)
    assert r"| 1 | x\_y\|z & 5 % |" in as_markdown(table)
    assert as_text(Table("c", ("#", "name"), [["1", "abcdef"], ["10", ""]])) == (
        "c\n #  name\n--  ------\n 1  abcdef\n10\n"
    )


def test_latex_has_one_table_a_protocol(runs_dir):
    write_test(write_run(runs_dir / "other"), part="val")
    write_report(runs_dir)
    text = (runs_dir / "report/table.tex").read_text()
    assert text.count(r"\begin{tabular}") == 2
    assert r"3.25 $\pm$ 1.50" in text


def test_the_command_prints_tables_and_writes_where_it_is_told(runs_dir, tmp_path, capsys):
    main([str(runs_dir), "--output", str(tmp_path / "out")])
    printed = capsys.readouterr().out
    assert printed.index("mean of the train part") < printed.index("3.25 +- 1.50")
    assert printed.endswith(f"-> {tmp_path / 'out/index.html'}\n")
    names = {"index.html", "images", "table.md", "table.csv", "table.tex"}
    assert {path.name for path in (tmp_path / "out").iterdir()} == names
    assert not (runs_dir / "report").exists()


def test_a_report_of_the_reported_folder_changes_nothing(runs_dir):
    assert write_report(runs_dir) == write_report(runs_dir)


def test_a_single_run_can_be_reported(runs_dir):
    assert "flame_b" in write_report(runs_dir / "b")


def test_a_folder_without_runs_says_what_to_type(tmp_path):
    with pytest.raises(ValueError, match=r"no run under .*Type python train\.py"):
        write_report(tmp_path)


def test_a_test_of_an_earlier_start_is_no_result_of_a_run_that_failed_since(runs_dir):
    run = write_run(runs_dir / "again", status="failed", time="2026-11-21T13:00:00+00:00")
    write_test(run)
    results = read_results(runs_dir)
    assert "again" not in {test.run.name for test in results.tests}
    assert "of an earlier start; the last one: failed" in {item.reason for item in results.unread}
