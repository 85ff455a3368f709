"""Several runs' predictions: found, read, and combined only if they belong together."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from builders.small_members import PROTOCOL, members_of, write_run
from builders.small_predictions import small_predictions

from gazepose.ensembling.members import find_predictions, read_members


@pytest.mark.parametrize(
    ("conditions", "what"),
    [
        ({"smoothing": "median, 5 frames"}, "smoothing.* None .*'median, 5 frames'"),
        ({"stride": 13}, "stride.* 1 .* 13"),
    ],
)
def test_runs_tested_otherwise_are_not_combined(
    conditions: dict[str, Any], what: str, tmp_path: Path
) -> None:
    write_run(tmp_path / "a", small_predictions(2), "a")
    write_run(tmp_path / "b", small_predictions(2), "b", **conditions)
    with pytest.raises(ValueError, match=rf"{what}.*predict\.py run="):
        members_of([tmp_path / "a", tmp_path / "b"])


def test_a_test_that_does_not_say_how_it_was_made_is_told(tmp_path: Path) -> None:
    run = write_run(tmp_path, small_predictions(1), "a", smoothing=3)
    with pytest.raises(ValueError, match=r"_predictions\.parquet does not say all .*test again"):
        members_of([run, run])


def test_what_is_a_models_own_affair_may_differ_and_is_told(tmp_path: Path) -> None:
    write_run(tmp_path / "a", small_predictions(2), "a")
    own = {"dropout": "gaussian", "landmark_source": None}
    write_run(tmp_path / "b", small_predictions(2), "b", **own)
    found = members_of([tmp_path / "a", tmp_path / "b"]).protocol
    joined = {"dropout": "none+gaussian", "landmark_source": "mesh+None"}
    assert found == PROTOCOL | joined


def test_scores_that_are_no_numbers_are_not_combined(tmp_path: Path) -> None:
    score = pl.when(pl.col("frame") == 3).then(float("nan")).otherwise(pl.col("score"))
    run = write_run(tmp_path, small_predictions(1).with_columns(score=score), "a")
    with pytest.raises(ValueError, match=r"2 of 80 .*clip0.* s.* 3"):
        members_of([run, run])


def test_the_test_after_training_comes_first(tmp_path: Path) -> None:
    run = write_run(tmp_path, small_predictions(2), "a")
    write_run(run, small_predictions(2), "a", where="predict/demo_val")
    write_run(run, small_predictions(2, is_labelled=False), "a", where="predict/demo_test")
    assert find_predictions(run, "val").parent == run / "test"
    assert find_predictions(run, "test").parent == run / "predict" / "demo_test"
    path = find_predictions(run, None)
    assert find_predictions(path, "anything") == path


@pytest.mark.parametrize("part", ["train", None])
def test_a_run_without_predictions_says_what_to_type(tmp_path: Path, part: str | None) -> None:
    with pytest.raises(ValueError, match=rf"predict\.py run={tmp_path} split={part or 'val'}"):
        find_predictions(tmp_path, part)


def test_several_predictions_must_be_told_apart(tmp_path: Path) -> None:
    for model in ("a", "b"):
        write_run(tmp_path, small_predictions(2), model)
    with pytest.raises(ValueError, match=r"--fit.*demo_demo_a_pred.*demo_demo_b_pred"):
        find_predictions(tmp_path, None)


def test_other_samples_and_labels_are_told(runs: list[Path], tmp_path: Path) -> None:
    fewer = write_run(tmp_path / "fewer", small_predictions(5), "fewer")
    with pytest.raises(ValueError, match=r"480 .* 400.* 80 .* 0 "):
        members_of([runs[0], fewer])
    flipped = small_predictions(6).with_columns(label=1 - pl.col("label"))
    other = write_run(tmp_path / "other", flipped, "other")
    with pytest.raises(ValueError, match="labels"):
        members_of([runs[0], other])


def test_damaged_predictions_are_told(runs: list[Path], tmp_path: Path) -> None:
    run = tmp_path / "run"
    path = run / "test" / "x_predictions.parquet"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"PAR1 half")
    with pytest.raises(ValueError, match=r"x_predictions\.parquet"):
        read_members([path, path])
    with pytest.raises(ValueError, match=r"x_predictions\.parquet"):
        find_predictions(run, "val")
    small_predictions(2).drop("score", "uid").write_parquet(path)
    with pytest.raises(ValueError, match="uid, score"):
        read_members([path, path])
    small_predictions(2).write_parquet(path)
    with pytest.raises(ValueError, match=r"x_predictions\.parquet.*tested"):
        read_members([path, path])
