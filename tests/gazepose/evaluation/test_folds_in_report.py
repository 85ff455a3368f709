"""Folds by photo in the report: one ranking of everybody, each scored by who never saw them."""

import csv
import shutil
from itertools import product
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from builders.small_predictions import small_predictions
from builders.small_reports import cells, only_outcome, only_table, write_undrawn
from builders.small_runs import change_run, study_plan, write_lam_run
from builders.written_results import undrawn

from common.evaluation.score_slices import summarise
from common.report.reading import read_results
from gazepose.evaluation.files import write_results

NUM_FOLDS, NUM_PHOTOS = 3, 12
SKILL = {"with": 0.3, "without": 0.2}


def everybody(row: str) -> pl.DataFrame:
    """The faces of twelve photos, scored with the row's skill; the same ones for both rows."""
    return small_predictions(NUM_PHOTOS, seed=1, skill=SKILL[row]).with_columns(
        part=pl.lit("test"),
        photo="uid",
        person_id=pl.lit(""),
        source=pl.lit(None, pl.String),
    )


def fold_of(table: pl.DataFrame, fold: int) -> pl.DataFrame:
    number = pl.col("photo").str.strip_prefix("clip").cast(pl.Int64)
    return table.filter(number % NUM_FOLDS == fold)


def write_fold(study: Path, plan: dict[str, Any], row: str, fold: int) -> None:
    run = write_lam_run(study / f"{row}_seed{fold}", priors="all", seed=fold)
    in_folds = {"num_folds": NUM_FOLDS, "fold": fold}
    said = {"config.study": plan, "config.ablation": row, "config.data.datamodule": in_folds}
    change_run(run, {**said, "data.split": "photo_folds3"})
    described = {
        **{"model": "gazepose", "trained_on": "demo_lam", "tested_on": "demo_lam"},
        **{"part": "test", "stride": 1, "protocol": {"dropout": "gaussian", "smoothing": None}},
        "fold": {"number": fold, "of": NUM_FOLDS},
    }
    with undrawn():
        write_results(fold_of(everybody(row), fold), described, run / "test", "demo_demo_pose")


@pytest.fixture(scope="module")
def whole_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    runs = tmp_path_factory.mktemp("whole")
    plan = study_plan("folds", rows=SKILL, seeds=range(NUM_FOLDS))
    for row, fold in product(SKILL, range(NUM_FOLDS)):
        write_fold(runs / "folds", plan, row, fold)
    return runs


def test_a_rows_numbers_and_slices_are_those_of_all_heads_in_one_ranking(whole_dir: Path) -> None:
    comparison = only_table(whole_dir)
    assert (comparison.num_folds, comparison.protocol.clips_are) == (NUM_FOLDS, "photos")
    for result in comparison.results:
        (test,) = result.tests
        expected = summarise(everybody(result.row.name))
        for key in ("num_samples", "num_positive", "map", "accuracy", "baselines"):
            assert test.summary[key] == pytest.approx(expected[key])
        assert test.summary["by"] == expected["by"]
    assert cells(whole_dir, "AP LAM [%]") == [
        f"{100 * summarise(everybody(row))['ap_lam']:.2f}" for row in SKILL
    ]


def test_the_difference_is_paired_by_photo(whole_dir: Path) -> None:
    _, other = only_table(whole_dir).results
    interval = other.contrast.interval
    assert interval.low < other.contrast.value < interval.high < 0
    assert interval.high - interval.low < other.interval.high - other.interval.low


def test_slices_of_a_study_are_in_a_csv(whole_dir: Path, tmp_path: Path) -> None:
    write_undrawn(whole_dir, tmp_path)
    with (tmp_path / "studies/folds_slices.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["by"] == "face_height"]
    heights = ["0-48", "48-64", "64-128", "128+"]
    assert [(row["row"], row["slice"]) for row in rows] == [(r, h) for r in SKILL for h in heights]
    small = summarise(everybody("with").filter(pl.col("y2") - pl.col("y1") < 48))
    assert float(rows[0]["ap_lam"]) == pytest.approx(100 * small["ap_lam"])
    assert int(rows[0]["num_positive"]) == small["num_positive"]


def test_a_row_without_all_of_its_folds_has_no_number(whole_dir: Path, tmp_path: Path) -> None:
    runs = shutil.copytree(whole_dir, tmp_path / "runs")
    shutil.rmtree(runs / "folds/without_seed2")
    assert cells(runs, "mAP [%]")[1] == "-"


def test_a_fold_whose_samples_do_not_say_enough_costs_its_row(
    whole_dir: Path, tmp_path: Path
) -> None:
    runs = shutil.copytree(whole_dir, tmp_path / "runs")
    (path,) = (runs / "folds/without_seed1/test").glob("*_predictions.parquet")
    pl.read_parquet(path).drop("y2").write_parquet(path)
    assert "y2" in " ".join(one.reason for one in read_results(runs).unread)
    (comparison,) = only_outcome(runs).comparisons
    assert [len(result.tests) for result in comparison.results] == [1, 0]
