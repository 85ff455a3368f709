"""A study's runs of more than one protocol get no table; what differs is named."""

import json
import re

import pytest
from builders.small_reports import only_table, write_study, write_undrawn
from builders.small_runs import change_run, study_plan, write_lam_job

from common.report.study.comparison import Comparison, Refusal
from common.report.study.tables import refusal_table


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


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("callbacks.weight_average.decay", 0.999),
        ("callbacks.early_stopping.patience", 3),
        ("trainer.accumulate_grad_batches", 4),
        ("data.datamodule.augmentation._target_", "flame.data.augmentation.EyeAugmentation"),
        ("data.datamodule.photometric.strength", 1.0),
    ],
)
def test_what_only_one_seed_has_switched_on_is_a_difference(small_dir, key, value):
    change_run(small_dir / "demo_table/both_seed1", {f"config.{key}": value})
    (difference,) = only_table(small_dir).differences
    assert difference.what.startswith(key)
    both = {"None": ["demo_table/both_seed0"], str(value): ["demo_table/both_seed1"]}
    assert difference.values == both


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
    assert "study demo_table on demo_lam, val part" in refusal.text


def test_a_training_that_is_there_twice_is_refused(small_dir):
    plan = study_plan(rows=("off", "both"), seeds=(0, 1))
    run = write_lam_job(small_dir / "demo_table", plan, "off", 7)
    change_run(run, {"config.seed": 0})
    assert only_table(small_dir).differences[0].what == "off with seed 0"


def test_a_refusal_leaves_the_other_tables(small_dir):
    write_study(small_dir, study_plan("good", rows=("off",), seeds=(0,)))
    change_run(small_dir / "demo_table/both_seed1", {"data.split": "other"})
    text = write_undrawn(small_dir)
    assert "study demo_table" in text
    assert re.search(r"split of demo_lam +other +demo_table/both_seed1\n", text)
    assert "row off  1 " in text
    page = (small_dir / "report/index.html").read_text()
    assert '<span class="refused">refused</span>' in page
    # What no study shows is listed test by test.
    assert page.count("demo_lam, val part: eye contact") == 2
