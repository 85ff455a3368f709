"""A study's table: means and deviations over seeds, differences, trainings that are missing."""

import re
import statistics

import pytest
from builders.small_reports import (
    ROWS,
    cells,
    only_outcome,
    only_table,
    values_of,
    write_study,
    write_undrawn,
)
from builders.small_runs import (
    change_run,
    study_plan,
    write_lam_job,
    write_lam_run,
    write_lam_test,
)

from common.report.study.files import study_text
from common.report.study.tables import study_slice_tables


def test_a_row_is_mean_and_sample_deviation_over_seeds_in_the_order_of_the_study(whole_dir):
    comparison = only_table(whole_dir)
    assert [result.row.name for result in comparison.results] == list(ROWS)
    measure = comparison.kind.measure
    for result in comparison.results:
        values = values_of(whole_dir, result.row.name)
        assert len(values) == 3
        assert result.mean(measure) == pytest.approx(statistics.fmean(values))
        assert result.std(measure) == pytest.approx(statistics.stdev(values))
    assert cells(whole_dir, "row") == ["row off", "row head", "row both"]
    assert cells(whole_dir, "seeds") == ["3", "3", "3"]
    values = [100 * value for value in values_of(whole_dir, "head")]
    mean, std = statistics.fmean(values), statistics.stdev(values)
    assert cells(whole_dir, "mAP [%]")[1] == f"{mean:.2f} +- {std:.2f}"


def test_the_difference_to_the_first_row_is_that_of_the_means(whole_dir):
    first, *others = only_table(whole_dir).results
    assert first.contrast is None
    own = statistics.fmean(values_of(whole_dir, "off"))
    for result in others:
        expected = statistics.fmean(values_of(whole_dir, result.row.name)) - own
        assert result.contrast.value == pytest.approx(expected)
        assert result.contrast.interval.low < expected < result.contrast.interval.high
        assert result.contrast.is_larger_than_interval
        assert result.interval.low < result.mean(only_table(whole_dir).kind.measure)
    assert cells(whole_dir, "difference to row off")[0] == "-"


def test_rows_are_compared_with_the_reference_if_there_is_one(small_dir):
    for seed in (0, 1):
        change_run(small_dir / f"demo_table/both_seed{seed}", {"config.is_reference": True})
    assert cells(small_dir, "difference to row both")[1] == "-"
    assert "row both." in study_text(only_outcome(small_dir))


def test_a_row_as_good_as_another_is_not_ranked(tmp_path):
    for row in ("off", "both"):
        for seed in (0, 1, 2):
            plan = study_plan(rows=("off", "both"))
            write_lam_job(tmp_path / "demo_table", plan, row, seed, skill=0.3)
    _, result = only_table(tmp_path).results
    assert not result.contrast.is_larger_than_interval
    assert re.search(
        r"none\. .*: row both [+-]\d\.\d\d\.",
        study_text(only_outcome(tmp_path)),
    )


def test_one_seed_has_no_deviation_and_an_interval_over_clips(tmp_path):
    write_study(tmp_path, study_plan(rows=("off", "both"), seeds=(0,)))
    assert all("+-" not in cell for cell in cells(tmp_path, "mAP [%]"))
    assert all(result.interval is not None for result in only_table(tmp_path).results)
    text = study_text(only_outcome(tmp_path))
    assert "over whole clips" in text
    assert "nothing of the seed" in text


def test_without_predictions_there_is_no_interval(small_dir):
    for path in small_dir.rglob("both*/test/*.parquet"):
        path.unlink()
    off, both = only_table(small_dir).results
    assert off.interval is not None
    assert both.interval is both.contrast.interval is None
    assert "predictions are missing" in study_text(only_outcome(small_dir))


def test_missing_and_failed_trainings_are_named_and_do_not_count(tmp_path):
    plan = study_plan(rows=ROWS)
    skip = [("both", 0), ("both", 1), ("both", 2), ("head", 2)]
    write_study(tmp_path, plan, skip=skip)
    change_run(tmp_path / "demo_table/head_seed1", {"status": "failed"})
    assert cells(tmp_path, "seeds") == [
        *("3", "1 of 3 (seed 1 failed, seed 2 missing)", "0 of 3 (missing)")
    ]
    assert cells(tmp_path, "mAP [%]")[2] == "-"
    outcome = only_outcome(tmp_path)
    assert outcome.study.progress == "4 of 9 runs finished"
    assert "row both: 0 of 3 (missing)" in study_text(outcome)
    for table in study_slice_tables(outcome.comparisons[0]):
        assert table.rows[2] == ["row both", *["-"] * len(table.numeric)]


def test_a_study_without_a_finished_run_shows_how_far_it_is(tmp_path):
    plan = study_plan(rows=("off", "both"), seeds=(0, 1))
    run = write_lam_run(tmp_path / "demo_table/off_seed0", status="running")
    change_run(run, {"config.study": plan, "config.ablation": "off"})
    outcome = only_outcome(tmp_path)
    assert outcome.tables == ()
    assert "row off   0 of 2 (seed 0 running, seed 1 missing)" in study_text(outcome)
    assert "0 of 2 (missing)" in write_undrawn(tmp_path)


def test_a_study_that_grew_has_the_latest_rows_and_loses_none(small_dir):
    plan = study_plan(rows=("head", "both"), seeds=(0, 1, 2))
    write_lam_job(small_dir / "demo_table", plan, "head", 0, time="2026-11-23T10:00:00+00:00")
    table = only_table(small_dir)
    assert [result.row.name for result in table.results] == ["head", "both", "off"]
    assert cells(small_dir, "seeds") == [
        *("1 of 3 (seed 1 missing, seed 2 missing)", "2 of 3 (seed 2 missing)"),
        "2 of 3 (seed 2 missing)",
    ]


def test_a_further_test_of_the_same_data_does_not_take_the_place_of_the_first(small_dir):
    before = cells(small_dir, "mAP [%]")
    write_lam_test(small_dir / "demo_table/off_seed0", "predict/smooth", map=0.01)
    assert cells(small_dir, "mAP [%]") == before
    assert "predict/smooth" in write_undrawn(small_dir)
