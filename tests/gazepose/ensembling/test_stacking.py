"""Trees that learn whom of several runs to trust, on clips they do not judge."""

import json
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from builders.small_members import members_of, write_run
from builders.small_predictions import small_predictions

from common.evaluation.scores import known_map
from gazepose.ensembling.__main__ import main
from gazepose.ensembling.combining import combine, write_ensemble
from gazepose.ensembling.members import find_predictions, read_members
from gazepose.ensembling.stacking import cross_fitted, fit_predict
from gazepose.submission.check import validate_submission

needs_xgboost = pytest.mark.skipif(find_spec("xgboost") is None, reason="no XGBoost here")


@needs_xgboost
def test_it_learns_whom_to_trust(runs: list[Path]) -> None:
    members = members_of(runs)
    alone = known_map(members.with_scores(members.scores[:, 0]))
    assert known_map(combine(members, "xgboost")) > alone


@needs_xgboost
def test_no_clip_is_judged_by_its_own_labels(runs: list[Path]) -> None:
    """Labels of a clip do not change its scores, but those of others."""
    members = members_of(runs)
    labels, clips = (members.samples[name].to_numpy() for name in ("label", "uid"))
    is_one = clips == "clip3"
    changed = np.where(is_one, 1 - labels, labels)
    one, other = (cross_fitted(members.scores, given, clips) for given in (labels, changed))
    np.testing.assert_array_equal(one[is_one], other[is_one])
    assert (one[~is_one] != other[~is_one]).any()


@needs_xgboost
def test_a_higher_score_never_lowers_the_result(runs: list[Path]) -> None:
    members = members_of(runs)
    labels = members.samples["label"].to_numpy()
    raised = members.scores.copy()
    raised[:, 1] += 0.1
    low, high = (fit_predict(members.scores, labels, given) for given in (members.scores, raised))
    assert (high >= low).all()
    assert ((low >= 0) & (low <= 1)).all()


@needs_xgboost
def test_it_repeats(runs: list[Path]) -> None:
    members = members_of(runs)
    first, second = (combine(members, "xgboost")["score"].to_list() for _ in range(2))
    assert first == second


@needs_xgboost
def test_the_test_set_is_scored_by_what_val_taught(tmp_path: Path) -> None:
    paths = with_tests(tmp_path)
    folder = write_ensemble(paths, "xgboost", tmp_path / "out", "test", "val")
    assert validate_submission(folder / "evalai" / "xgboost_of_2.json", None).problems == ()
    val, test = (
        read_members([find_predictions(run, part) for run in paths]) for part in ("val", "test")
    )
    expected = fit_predict(val.scores, val.samples["label"].to_numpy(), test.scores)
    written = pl.read_csv(folder / "xgboost_of_2_pred.csv", has_header=False)
    np.testing.assert_allclose(written[:, -1], expected)


def with_tests(folder: Path, **conditions: Any) -> list[Path]:
    """Two runs with val predictions, and unlabelled ones tested under `conditions`."""
    runs = [folder / name for name in "ab"]
    for seed, run in enumerate(runs):
        write_run(run, small_predictions(6, seed), run.name)
        unlabelled = small_predictions(2, 10 + seed, is_labelled=False)
        write_run(run, unlabelled, run.name, "predict/demo_test", **conditions)
    return runs


@needs_xgboost
def test_what_to_learn_from_can_be_named(tmp_path: Path) -> None:
    runs = with_tests(tmp_path)
    files = [find_predictions(run, "test") for run in runs]
    out = str(tmp_path / "named")
    command = [*map(str, files), "--method", "xgboost", "--out", out]
    with pytest.raises(ValueError, match=r"demo_demo_a_predictions\.parquet.*--fit"):
        main(command)
    labelled = [str(find_predictions(run, "val")) for run in runs]
    main([*command, "--fit", *labelled])
    folder = write_ensemble(runs, "xgboost", tmp_path / "found", "test", "val")
    named = tmp_path / "named" / "predict" / folder.name / "xgboost_of_2_pred.csv"
    assert named.read_bytes() == (folder / named.name).read_bytes()


@needs_xgboost
def test_it_learns_from_one_for_each_in_order(tmp_path: Path) -> None:
    runs = with_tests(tmp_path)
    for fit, what in ((runs[::-1], "model.*'b'.*'a'"), ([*runs, runs[0]], "2 .* 3 .*--fit")):
        with pytest.raises(ValueError, match=what):
            write_ensemble(runs, "xgboost", tmp_path / "out", "test", "val", fit)


@needs_xgboost
@pytest.mark.parametrize(
    ("condition", "value"), [("smoothing", "median, 5 frames"), ("dropout", "uniform")]
)
def test_it_learns_from_scores_made_alike_only(condition: str, value: str, tmp_path: Path) -> None:
    runs = with_tests(tmp_path, **{condition: value})
    with pytest.raises(ValueError, match=rf"{condition}.*{value}"):
        write_ensemble(runs, "xgboost", tmp_path / "out", "test", "val")


@needs_xgboost
def test_another_stride_makes_other_scores_only_if_they_are_smoothed(tmp_path: Path) -> None:
    runs = with_tests(tmp_path, stride=3)
    write_ensemble(runs, "xgboost", tmp_path / "out", "test", "val")
    smoothed = {"smoothing": "median, 5 frames"}
    for run in runs:
        val, test = (pl.read_parquet(find_predictions(run, part)) for part in ("val", "test"))
        write_run(run, val, run.name, **smoothed)
        write_run(run, test, run.name, "predict/demo_test", stride=3, **smoothed)
    with pytest.raises(ValueError, match=r"stride.* 1 .* 3;"):
        write_ensemble(runs, "xgboost", tmp_path / "out", "test", "val")


@needs_xgboost
def test_clips_that_taught_are_not_judged(runs: list[Path], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"6 clips.*clip0.*--fit"):
        write_ensemble(runs, "xgboost", tmp_path, None, "val", runs)


@needs_xgboost
def test_samples_without_a_label_teach_nothing_and_are_scored(runs: list[Path]) -> None:
    members = members_of(runs)
    labels, clips = (members.samples[name].to_numpy() for name in ("label", "uid"))
    is_known = np.arange(len(labels)) % 7 > 0
    partly = np.where(is_known, labels, -1)
    np.testing.assert_array_equal(
        fit_predict(members.scores, partly, members.scores),
        fit_predict(members.scores[is_known], labels[is_known], members.scores),
    )
    combined = cross_fitted(members.scores, partly, clips)
    known = cross_fitted(members.scores[is_known], labels[is_known], clips[is_known])
    np.testing.assert_array_equal(combined[is_known], known)
    assert np.isfinite(combined).all()


@needs_xgboost
def test_one_sample_without_a_label_does_not_stop_it(runs: list[Path], tmp_path: Path) -> None:
    for seed, run in enumerate(runs):
        table = small_predictions(6, seed)
        label = pl.when(pl.int_range(pl.len()) == 0).then(-1).otherwise(pl.col("label"))
        partly = table.with_columns(label=label.cast(pl.Int8))
        write_run(tmp_path / run.name, partly, run.name)
    partly_labelled = [tmp_path / run.name for run in runs]
    folder = write_ensemble(partly_labelled, "xgboost", tmp_path / "out", None, "val")
    summary = json.loads((folder / "xgboost_of_3.json").read_text())
    assert summary["num_samples"] == 479


def test_one_clip_or_one_class_cannot_teach() -> None:
    scores, labels = np.random.default_rng(0).random((10, 2)), np.arange(10) % 2
    with pytest.raises(ValueError, match="1 clips"):
        cross_fitted(scores, labels, np.full(10, "a"))
    with pytest.raises(ValueError, match=r"5 .*class"):
        fit_predict(scores[:5], np.ones(5, int), scores)
    with pytest.raises(ValueError, match=r"0 .*class"):
        fit_predict(scores, np.full(10, -1), scores)


def test_without_xgboost_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xgboost", None)
    scores = np.random.default_rng(0).random((10, 2))
    with pytest.raises(ValueError, match=r"pip install xgboost.*--method mean"):
        fit_predict(scores, np.arange(10) % 2, scores)
