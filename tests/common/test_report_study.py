"""Studies in the report: rows, means over seeds, refusals, published numbers, files, page."""

import csv
import json
import re
import statistics

import pytest
from fabricated_runs import (
    change_run,
    study_plan,
    write_gaze_job,
    write_lam_job,
    write_lam_run,
    write_lam_test,
)

from common.report import write_report
from common.report_runs import read_results
from common.report_study.comparison import Comparison, Refusal, compare
from common.report_study.files import study_text
from common.report_study.study import find_studies
from common.report_study.tables import comparison_table, refusal_table

ROWS = {"off": 0.2, "head": 0.3, "both": 0.4}
PRIORS = {"off": "none", "head": "head", "both": "all"}


def write_study(runs, plan, skip=(), **run_options):
    for row in plan["rows"]:
        for seed in plan["seeds"]:
            if (row, seed) not in skip:
                options = {"skill": ROWS[row], "priors": PRIORS[row]} | run_options
                write_lam_job(runs / plan["name"], plan, row, seed, **options)
    return runs


@pytest.fixture(scope="module")
def whole_dir(tmp_path_factory):
    return write_study(tmp_path_factory.mktemp("whole"), study_plan(rows=ROWS))


@pytest.fixture
def small_dir(tmp_path):
    return write_study(tmp_path, study_plan(rows=("off", "both"), seeds=(0, 1)))


def only_outcome(runs_dir):
    (study,) = find_studies(read_results(runs_dir))
    return compare(study)


def only_table(runs_dir):
    (table,) = only_outcome(runs_dir).tables
    return table


def cells(runs_dir, column):
    table = comparison_table(only_table(runs_dir))
    return [row[list(table.columns).index(column)] for row in table.rows]


def values_of(runs_dir, row):
    paths = sorted(runs_dir.glob(f"*/{row}_seed*/test/*.json"))
    return [json.loads(path.read_text())["map"] for path in paths]


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
    assert "Reference of the differences: row both." in study_text(only_outcome(small_dir))


def test_a_row_as_good_as_another_is_not_ranked(tmp_path):
    for row in ("off", "both"):
        for seed in (0, 1, 2):
            plan = study_plan(rows=("off", "both"))
            write_lam_job(tmp_path / "demo_table", plan, row, seed, skill=0.3)
    _, result = only_table(tmp_path).results
    assert not result.contrast.is_larger_than_interval
    assert re.search(
        r"leaves out zero\): none\. Not larger, so no ranking: row both [+-]\d\.\d\d\.",
        study_text(only_outcome(tmp_path)),
    )


def test_one_seed_has_no_deviation_and_an_interval_over_clips(tmp_path):
    write_study(tmp_path, study_plan(rows=("off", "both"), seeds=(0,)))
    assert all("+-" not in cell for cell in cells(tmp_path, "mAP [%]"))
    assert all(result.interval is not None for result in only_table(tmp_path).results)
    text = study_text(only_outcome(tmp_path))
    assert "bootstrap over whole clips" in text
    assert "its interval knows nothing of the seed" in text


def test_without_predictions_there_is_no_interval(small_dir):
    for path in small_dir.rglob("both*/test/*.parquet"):
        path.unlink()
    off, both = only_table(small_dir).results
    assert off.interval is not None
    assert both.interval is both.contrast.interval is None
    assert "No interval, because predictions are missing" in study_text(only_outcome(small_dir))


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


def test_a_study_without_a_finished_run_shows_how_far_it_is(tmp_path):
    plan = study_plan(rows=("off", "both"), seeds=(0, 1))
    run = write_lam_run(tmp_path / "demo_table/off_seed0", status="running")
    change_run(run, {"config.study": plan, "config.ablation": "off"})
    outcome = only_outcome(tmp_path)
    assert outcome.tables == ()
    assert "row off   0 of 2 (seed 0 running, seed 1 missing)" in study_text(outcome)
    assert "0 of 2 (missing)" in write_report(tmp_path)


def test_a_study_that_grew_has_the_latest_rows_and_loses_none(small_dir):
    plan = study_plan(rows=("head", "both"), seeds=(0, 1, 2))
    write_lam_job(small_dir / "demo_table", plan, "head", 0, time="2026-11-23T10:00:00+00:00")
    table = only_table(small_dir)
    assert [result.row.name for result in table.results] == ["head", "both", "off"]
    assert cells(small_dir, "seeds") == [
        *("1 of 3 (seed 1 missing, seed 2 missing)", "2 of 3 (seed 2 missing)"),
        "2 of 3 (seed 2 missing)",
    ]


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"data.split": "other"}, "split of demo_lam"),
        ({"data.table_sha256": "00ff"}, "table_sha256 of demo_lam"),
        ({"data.recipe": {"landmarks": "pose"}}, "recipe.landmarks of demo_lam"),
        ({"config.priors.landmark_index": "collision_free"}, "priors.landmark_index"),
        ({"config.priors.mirror": True}, "priors.mirror"),
        ({"config.priors.train_landmark_codes": True}, "priors.train_landmark_codes"),
        ({"config.dropout.threshold": 0.3}, "dropout.threshold"),
        ({"config.data.datamodule.train_stride": 1}, "data.datamodule.train_stride of demo_lam"),
    ],
)
def test_runs_of_several_protocols_get_no_table(small_dir, changes, what):
    same = {
        **{"data.table_sha256": "abcd", "data.recipe.landmarks": "mesh"},
        **{"config.priors.landmark_index": "original", "config.priors.mirror": False},
        "config.priors.train_landmark_codes": False,
        "config.data.datamodule": {"train_stride": 3, "num_workers": 0},
    }
    for path in small_dir.glob("*/*"):
        change_run(path, same)
    assert isinstance(only_table(small_dir), Comparison)
    for seed in (0, 1):
        change_run(small_dir / f"demo_table/both_seed{seed}", changes)
    refusal = only_table(small_dir)
    assert isinstance(refusal, Refusal)
    assert [difference.what for difference in refusal.differences] == [what]
    rows = refusal_table(refusal).rows
    assert [row[0] for row in rows] == [what, what]
    assert rows[1][2] == "demo_table/both_seed0, demo_table/both_seed1"


def test_seeds_of_a_row_share_every_setting(small_dir):
    change_run(small_dir / "demo_table/both_seed1", {"config.priors.split": 5.0})
    (difference,) = only_table(small_dir).differences
    assert difference.what == "priors.split"
    assert difference.values == {"1.0": ["demo_table/both_seed0"], "5.0": ["demo_table/both_seed1"]}


def test_weights_to_start_from_are_told_apart_by_what_they_hold(small_dir):
    def start(seed, path, checksum):
        run = small_dir / f"demo_table/both_seed{seed}"
        change_run(run, {"config.model.init_checkpoint": path, "weights": {path: checksum}})

    start(0, "a/best.ckpt", "00aa")
    start(1, "/elsewhere/best.ckpt", "00aa")
    assert isinstance(only_table(small_dir), Comparison)
    start(1, "a/best.ckpt", "11bb")
    (difference,) = only_table(small_dir).differences
    assert difference.what == "model.init_checkpoint"
    assert list(difference.values) == ["00aa", "11bb"]


def test_machines_may_differ(small_dir):
    change_run(
        small_dir / "demo_table/both_seed1",
        {"config.data.datamodule.num_workers": 8, "config.trainer.accelerator": "gpu"},
    )
    assert isinstance(only_table(small_dir), Comparison)


def test_what_a_row_changes_on_purpose_is_no_mixture(small_dir):
    for seed in (0, 1):
        run = small_dir / f"demo_table/both_seed{seed}"
        change_run(run, {"config.priors.mirror": True, "ablation_changes": ["priors"]})
        run = small_dir / f"demo_table/off_seed{seed}"
        change_run(run, {"config.priors.mirror": False, "ablation_changes": []})
    assert isinstance(only_table(small_dir), Comparison)
    change_run(small_dir / "demo_table/both_seed0", {"ablation_changes": ["priors.mirrored"]})
    assert isinstance(only_table(small_dir), Refusal)


def test_tests_of_several_protocols_get_no_table(small_dir):
    path = next((small_dir / "demo_table/both_seed1/test").glob("*.json"))
    summary = json.loads(path.read_text())
    summary["protocol"]["landmark_source"] = "pose"
    path.write_text(json.dumps(summary | {"stride": 1}))
    refusal = only_table(small_dir)
    assert {difference.what for difference in refusal.differences} == {"stride", "landmark_source"}
    assert "No table of study demo_table on demo_lam, val part" in refusal.text


def test_a_training_that_is_there_twice_is_refused(small_dir):
    plan = study_plan(rows=("off", "both"), seeds=(0, 1))
    run = write_lam_job(small_dir / "demo_table", plan, "off", 7)
    change_run(run, {"config.seed": 0})
    assert only_table(small_dir).differences[0].what == "off with seed 0"


def test_a_refusal_leaves_the_other_tables(small_dir):
    write_study(small_dir, study_plan("good", rows=("off",), seeds=(0,)))
    change_run(small_dir / "demo_table/both_seed1", {"data.split": "other"})
    text = write_report(small_dir)
    assert "No table of study demo_table: its runs are of more than one protocol" in text
    assert re.search(r"split of demo_lam +other +demo_table/both_seed1\n", text)
    assert "row off  1 " in text
    page = (small_dir / "report/index.html").read_text()
    assert '<span class="refused">refused</span>' in page
    # What no study shows is listed test by test.
    assert page.count("demo_lam, val part: eye contact") == 2


def test_a_replay_of_a_run_is_no_part_of_the_study(small_dir):
    for number, folder in enumerate(("demo_table", "replays")):
        run = write_lam_job(small_dir / folder, study_plan(), f"again{number}", 0)
        change_run(run, {"config.replay": "runs/demo_table/off_seed0", "config.ablation": "off"})
    assert cells(small_dir, "seeds") == ["2", "2"]


def test_equal_names_in_two_folders_are_two_studies(small_dir):
    write_study(small_dir / "old", study_plan(rows=("off",), seeds=(0,)))
    write_report(small_dir)
    names = {path.name for path in (small_dir / "report/studies").glob("*.tex")}
    assert names == {"demo_table.tex", "demo_table_2.tex"}


def test_a_further_test_of_the_same_data_does_not_take_the_place_of_the_first(small_dir):
    before = cells(small_dir, "mAP [%]")
    write_lam_test(small_dir / "demo_table/off_seed0", "predict/smooth", map=0.01)
    assert cells(small_dir, "mAP [%]") == before
    assert "predict/smooth" in write_report(small_dir)


def test_versions_of_the_code_are_named(small_dir):
    change_run(small_dir / "demo_table/both_seed1", {"code_sha256": "89abcdef0123"})
    assert "The runs are of 2 versions of the code: 0123abcd, 89abcdef." in write_report(small_dir)


def test_the_report_of_a_study_lists_no_test_twice(small_dir):
    text = write_report(small_dir)
    assert "constant score  " not in text
    assert "not finished or not tested" not in text
    page = (small_dir / "report/index.html").read_text()
    assert {path.name for path in (small_dir / "report/images").iterdir()} >= {
        *("study_1_1.png", "study_1_curves_1.png", "study_1_test_4.png")
    }
    assert "mAP [%] by sharpness" in page
    assert "Learning curves" not in page


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
    assert "not comparable (data columbiagaze there, demo_gaze here; split " in text


def test_published_numbers_of_the_same_protocol_are_comparable(flame_dir, tmp_path):
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


def test_an_unknown_published_table_is_named_and_stops_nothing(tmp_path):
    write_study(tmp_path, study_plan(rows=("off",), seeds=(0,), published="table_9"))
    text = write_report(tmp_path)
    assert re.search(r"published=table_9: no such table .*flame_table", text)
    assert cells(tmp_path, "seeds") == ["1"]


def test_csv_round_trip(whole_dir, tmp_path):
    write_report(whole_dir, tmp_path)
    with (tmp_path / "studies/demo_table.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["row"] for row in rows] == list(ROWS)
    for row in rows:
        values = [100 * value for value in values_of(whole_dir, row["row"])]
        assert float(row["mean"]) == pytest.approx(statistics.fmean(values), abs=1e-12)
        assert float(row["std"]) == pytest.approx(statistics.stdev(values), abs=1e-12)
        assert (row["num_seeds"], row["num_planned"], row["missing"]) == ("3", "3", "")
    assert float(rows[1]["difference"]) == pytest.approx(
        float(rows[1]["mean"]) - float(rows[0]["mean"]), abs=1e-12
    )
    with (tmp_path / "studies/demo_table_trainings.csv").open(newline="") as file:
        trainings = list(csv.DictReader(file))
    assert [(line["row"], line["seed"]) for line in trainings] == [
        (row, seed) for row in ROWS for seed in "012"
    ]
    assert [float(line["value"]) for line in trainings[:3]] == pytest.approx(
        [100 * value for value in values_of(whole_dir, "off")], abs=1e-12
    )


def test_latex_is_balanced_and_escaped(small_dir):
    for path in small_dir.glob("*/*"):
        titles = {"off": "[a] & b_c < 5 %", "both": r"x\y {z}"}
        change_run(path, {"config.study.rows": titles})
    write_report(small_dir)
    text = (small_dir / "report/studies/demo_table.tex").read_text()
    lines = [line for line in text.splitlines() if not line.startswith("%")]
    body = "\n".join(lines)
    assert r"{[}a] \& b\_c $<$ 5 \% & 2 &" in body
    assert r"x\textbackslash{}y \{z\} & 2 &" in body
    assert r"\label{tab:demo_table_1}" in body
    for name in ("table", "tabular"):
        assert body.count(rf"\begin{{{name}}}") == body.count(rf"\end{{{name}}}") == 1
    bare = re.sub(r"\\[{}&%$#_\\]", "", body.replace(r"\\" + "\n", "\n"))
    assert bare.count("{") == bare.count("}")
    assert bare.count("$") % 2 == 0
    assert "%" not in bare
    rows = [line for line in lines if line.endswith(r"\\")]
    alignment = re.search(r"\\begin{tabular}{([lr]+)}", body).group(1)
    assert {len(re.findall(r"(?<!\\)&", row)) + 1 for row in rows} == {len(alignment)}
