"""Several runs' scores made one: averaged, with files as of a test."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from builders.small_members import PROTOCOL, members_of, write_run
from builders.small_predictions import small_predictions

from common.evaluation.scores import known_map
from gazepose.ensembling.__main__ import main
from gazepose.ensembling.combining import combine, write_ensemble
from gazepose.ensembling.members import find_predictions


def test_the_mean_is_the_mean(runs: list[Path]) -> None:
    members = members_of(runs)
    expected = sum(
        pl.read_parquet(run / "test" / f"demo_demo_{run.name}_predictions.parquet")["score"]
        for run in runs
    ) / len(runs)  # fmt: skip
    np.testing.assert_allclose(combine(members, "mean")["score"], expected)
    assert combine(members, "mean").drop("score").equals(small_predictions(6).drop("score"))


def test_runs_may_have_their_samples_in_another_order(runs: list[Path], tmp_path: Path) -> None:
    shuffled = small_predictions(6, 1, 0.3).sample(fraction=1, shuffle=True, seed=3)
    other = write_run(tmp_path / "b", shuffled, "b")
    ours, theirs = (combine(members_of([runs[0], run]), "mean") for run in (runs[1], other))
    assert ours.equals(theirs)


def test_frames_that_come_twice_in_a_track_keep_their_scores(tmp_path: Path) -> None:
    twice = pl.concat(
        [small_predictions(2), small_predictions(2)[3:4].with_columns(score=pl.lit(0.0))]
    )
    paths = [write_run(tmp_path / name, twice, name) for name in "ab"]
    assert combine(members_of(paths), "mean")["score"].to_list() == twice["score"].to_list()


def test_two_runs_together_beat_each(runs: list[Path]) -> None:
    members = members_of(runs[:2])
    alone = [known_map(members.with_scores(scores)) for scores in members.scores.T]
    assert known_map(combine(members, "mean")) > max(alone)


def test_files_are_those_of_a_test_where_the_report_looks(
    runs: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main([*map(str, runs), "--method", "mean", "--out", str(tmp_path)])
    folder, stem = tmp_path / "predict" / "mean_demo_val_stride-1", "mean_of_3"
    assert {path.name for path in folder.iterdir()} == {
        stem + end
        for end in (".json", "_pred.csv", "_gt.csv", "_slices.csv", "_predictions.parquet", ".png")
    }
    summary = json.loads((folder / f"{stem}.json").read_text())
    expected = {
        "kind": "eye_contact_test",
        "model": "mean of a, b, blind",
        "trained_on": "demo",
        "tested_on": "demo",
        "part": "val",
        "stride": 1,
        "num_samples": 480,
        "protocol": PROTOCOL,
    }
    assert {name: summary[name] for name in expected} == expected
    said = capsys.readouterr().out
    assert f"mean_of_3: mAP {summary['map']:.4f}" in said
    assert said.endswith(f"{folder}\n")


def test_part_stride_and_smoothing_name_the_folder(tmp_path: Path) -> None:
    """Nothing of one ensemble replaces another's."""
    runs = [tmp_path / name for name in "ab"]
    for seed, run in enumerate(runs):
        write_run(run, small_predictions(2, seed), run.name)
        unlabelled = small_predictions(2, seed, is_labelled=False)
        write_run(run, unlabelled, run.name, "predict/demo_test", stride=5)
        smoothed = {"stride": 5, "smoothing": "median, 5 frames"}
        write_run(run, unlabelled, run.name, "predict/smoothed", **smoothed)
    out, names = tmp_path / "out", [f"demo_demo_{run.name}_predictions.parquet" for run in runs]
    smoothed_files = [
        run / "predict/smoothed" / name for run, name in zip(runs, names, strict=True)
    ]
    test_files = [run / "predict/demo_test" / name for run, name in zip(runs, names, strict=True)]
    for given, part in ((runs, "val"), (test_files, None), (smoothed_files, None)):
        write_ensemble(given, "mean", out, part, "val")
    assert sorted(path.name for path in (out / "predict").iterdir()) == [
        "mean_demo_test_stride-5",
        "mean_demo_test_stride-5_median-5-frames",
        "mean_demo_val_stride-1",
    ]
    with pytest.raises(ValueError, match=r"--fit.*predict/demo_test.*predict/smoothed"):
        find_predictions(runs[0], "test")


def test_one_run_is_no_ensemble(runs: list[Path], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"1 .*two"):
        write_ensemble(runs[:1], "mean", tmp_path, None, "val")
    with pytest.raises(ValueError, match=r"'median'.*'mean' .*'xgboost'"):
        combine(members_of(runs), "median")
    with pytest.raises(ValueError, match=r"--method mean.*--fit"):
        write_ensemble(runs, "mean", tmp_path, None, "val", runs)
