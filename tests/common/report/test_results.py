"""A table of results: baselines first, a row a test, one protocol; formats escape its text."""

import pytest
from builders.small_reports import only_group
from builders.small_runs import write_run, write_test

from common.report.reading import read_results
from common.report.tables.formats import Table, as_latex, as_markdown, as_text
from common.report.tables.groups import group_by_protocol


def test_a_table_holds_the_baselines_first_and_a_row_a_test(gaze_dir):
    assert only_group(gaze_dir).table.rows == [
        ["", "mean of the train part", "12.35", "", "", "", "", "40", "", "", ""],
        ["", "head pose as gaze", "9.88", "", "", "", "", "40", "", "", ""],
        [
            *("1", "flame", "3.25 +- 1.50", "[2.75, 3.88]", "16", "demo_gaze", "0", "40"),
            *("3/3", "finished", "test"),
        ],
        ["2", "flame_b", "4.50", "-", "16", "demo_gaze", "1", "40", "-/3", "finished", "test"],
    ]


def test_the_caption_names_the_protocol(gaze_dir):
    assert only_group(gaze_dir).protocol.caption == (
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
def test_another_protocol_gets_another_table(gaze_dir, changes):
    write_test(write_run(gaze_dir / "other"), **changes)
    groups = group_by_protocol(read_results(gaze_dir).tests)
    assert sorted(len(group.tests) for group in groups) == [1, 2]


def test_a_split_is_not_guessed_for_a_later_test(gaze_dir):
    write_test(gaze_dir / "b", "predict/demo_gaze_test")
    groups = group_by_protocol(read_results(gaze_dir).tests)
    captions = {group.protocol.split for group in groups}
    assert captions == {"cross_person_seed0", "not recorded"}
    write_test(
        gaze_dir / "b",
        "predict/demo_gaze_test",
        split="cross_person_seed0",
        gaze_convention="columbia_target_angles",
    )
    assert [test.folder for test in only_group(gaze_dir).tests] == [
        *("test", "test", "predict/demo_gaze_test")
    ]


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
