"""A study of several data sets: a table for each, published numbers beside the own ones."""

import json
import re

import pytest
from builders.kept_figures import kept_figures
from builders.small_reports import cells, only_outcome, only_table, write_study, write_undrawn
from builders.small_runs import study_plan, write_gaze_job

from common.report.command import write_report
from common.report.figures import save_study_bars
from common.report.study.files import study_text
from common.report.study.tables import comparison_table


@pytest.fixture(scope="module")
def flame_dir(tmp_path_factory):
    runs = tmp_path_factory.mktemp("flame")
    rows = ("flame_demo_gaze", "flame_b_demo_gaze", "flame_other")
    plan = study_plan("demo_flame_table", rows=rows, seeds=(0, 1), published="flame_table")
    errors = {"demo_gaze": 3.0, "other": 6.0}
    for row, data in zip(rows, ("demo_gaze", "demo_gaze", "other"), strict=True):
        for seed in (0, 1):
            options = {"errors_deg": errors, "tests": ("demo_gaze", "other"), "data": data}
            write_gaze_job(runs / "demo_flame_table", plan, row, seed, **options)
    return runs


def test_every_test_data_set_is_a_table_and_a_column_of_the_overview(flame_dir):
    outcome = only_outcome(flame_dir)
    assert [table.protocol.tested_on for table in outcome.tables] == ["demo_gaze", "other"]
    assert [len(table.results) for table in outcome.tables] == [3, 3]
    text = write_report(flame_dir)
    assert re.search(r"row +tested on demo_gaze, test +tested on other, test\n", text)
    assert re.search(r"row flame_other +3\.\d\d \+- 0\.\d\d +6\.\d\d \+- 0\.\d\d\n", text)


def test_rows_are_compared_with_those_of_the_same_training_data(flame_dir):
    first, second, third = only_outcome(flame_dir).comparisons[0].results
    assert first.contrast is third.contrast is None
    assert second.contrast.reference.name == "flame_demo_gaze"


def test_published_numbers_stand_beside_the_own_test_and_say_why_they_do_not_compare(flame_dir):
    own, other = (comparison_table(table) for table in only_outcome(flame_dir).comparisons)
    place = list(own.columns).index("published mean angular error [deg] (not comparable)")
    assert [row[place] for row in own.rows] == ["4.64", "5.93", "-"]
    assert not any(column.startswith("published") for column in other.columns)
    text = study_text(only_outcome(flame_dir))
    assert "FLAME (AVSS 2021)" in text
    assert re.search("not comparable .*columbiagaze .*demo_gaze .*split ", text)


def test_published_numbers_of_the_same_protocol_are_comparable(flame_dir, tmp_path, monkeypatch):
    plan = study_plan("t", rows=("flame_columbiagaze",), seeds=(0, 1), published="flame_table")
    for seed in (0, 1):
        run = write_gaze_job(
            *(tmp_path / "t", plan, "flame_columbiagaze", seed),
            errors_deg={"columbiagaze": 4.0},
            tests=("columbiagaze",),
        )
        for path in (run / "test").glob("*.json"):
            split = {"split": "columbiagaze_cross_person"}
            path.write_text(json.dumps(json.loads(path.read_text()) | split))
    assert cells(tmp_path, "published mean angular error [deg]") == ["4.64"]
    assert cells(tmp_path, "published std of samples [deg]") == ["2.86"]
    assert "parity; comparable." in study_text(only_outcome(tmp_path))
    kept = kept_figures(monkeypatch)
    save_study_bars(only_table(tmp_path), tmp_path / "bars.png")
    (mark,) = (line for line in kept[0].axes[0].lines if line.get_label() == "published")
    assert mark.get_xdata() == [4.64]


def test_an_unknown_published_table_is_named_and_stops_nothing(tmp_path):
    write_study(tmp_path, study_plan(rows=("off",), seeds=(0,), published="table_9"))
    text = write_undrawn(tmp_path)
    assert re.search(r"table_9.*flame_table", text)
    assert cells(tmp_path, "seeds") == ["1"]
