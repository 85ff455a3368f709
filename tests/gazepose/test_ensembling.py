"""Several runs' scores made one: averaged, or stacked on clips not seen."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from small_predictions import some_predictions

from gazepose.ensembling import combine, find_predictions, main, read_members, write_ensemble
from gazepose.score_slices import describe_samples
from gazepose.stacking import Stacking
from gazepose.submission import validate_submission


def write_run(folder: Path, predictions: pl.DataFrame, model: str, where: str = "test") -> Path:
    """Write what an ensemble reads of a test's files."""
    stem = folder / where / f"demo_demo_{model}"
    stem.parent.mkdir(parents=True, exist_ok=True)
    predictions.write_parquet(f"{stem}_predictions.parquet")
    if (predictions["label"] >= 0).all():
        described = {"model": model, "trained_on": "demo", "tested_on": "demo", "part": "val"}
        numbers = {"stride": 1, "protocol": {"dropout": "none"}, **describe_samples(predictions)}
        Path(f"{stem}.json").write_text(json.dumps(described | numbers))
    return folder


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three runs on the same clips, two of which find out something and the last nothing."""
    folder = tmp_path_factory.mktemp("runs")
    return [
        write_run(folder / name, some_predictions(6, seed, skill), name)
        for seed, (name, skill) in enumerate((("a", 0.3), ("b", 0.3), ("blind", 0.0)))
    ]


def members_of(runs: list[Path]):  # type: ignore[no-untyped-def]
    return read_members([find_predictions(run, None) for run in runs])


def map_of(folder: Path) -> float:
    (path,) = folder.glob("*.json")
    return float(json.loads(path.read_text())["map"])


def test_the_mean_is_the_mean(runs: list[Path]) -> None:
    members = members_of(runs)
    expected = sum(
        pl.read_parquet(run / "test" / f"demo_demo_{run.name}_predictions.parquet")["score"]
        for run in runs
    ) / len(runs)  # fmt: skip
    np.testing.assert_allclose(combine(members, "mean")["score"], expected)
    assert combine(members, "mean").drop("score").equals(some_predictions(6).drop("score"))


def test_runs_may_have_their_samples_in_another_order(runs: list[Path], tmp_path: Path) -> None:
    shuffled = some_predictions(6, 1, 0.3).sample(fraction=1, shuffle=True, seed=3)
    other = write_run(tmp_path / "b", shuffled, "b")
    ours, theirs = (combine(members_of([runs[0], run]), "mean") for run in (runs[1], other))
    assert ours.equals(theirs)


def test_frames_that_come_twice_in_a_track_keep_their_scores(tmp_path: Path) -> None:
    twice = pl.concat(
        [some_predictions(2), some_predictions(2)[3:4].with_columns(score=pl.lit(0.0))]
    )
    paths = [write_run(tmp_path / name, twice, name) for name in "ab"]
    assert combine(members_of(paths), "mean")["score"].to_list() == twice["score"].to_list()


def test_two_runs_together_beat_each(runs: list[Path], tmp_path: Path) -> None:
    alone = [map_of(run / "test") for run in runs[:2]]
    assert map_of(write_ensemble(runs[:2], "mean", tmp_path, None, "val")) > max(alone)


def test_files_are_those_of_a_test_where_the_report_looks(
    runs: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main([*map(str, runs), "--method", "mean", "--out", str(tmp_path)])
    folder, stem = tmp_path / "predict" / "mean", "mean_of_3"
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
    }
    assert {name: summary[name] for name in expected} == expected
    assert f"mean_of_3: mAP {summary['map']}" in capsys.readouterr().out


def test_the_test_after_training_comes_first(tmp_path: Path) -> None:
    run = write_run(tmp_path, some_predictions(2), "a")
    write_run(run, some_predictions(2), "a", where="predict/demo_val")
    write_run(run, some_predictions(2, is_labelled=False), "a", where="predict/demo_test")
    assert find_predictions(run, "val").parent == run / "test"
    assert find_predictions(run, "test").parent == run / "predict" / "demo_test"
    path = find_predictions(run, None)
    assert find_predictions(path, "anything") == path


@pytest.mark.parametrize("part", ["train", None])
def test_a_run_without_predictions_says_what_to_type(tmp_path: Path, part: str | None) -> None:
    with pytest.raises(
        ValueError, match=rf"holds no predictions.*predict.py run=.* split={part or 'val'}"
    ):
        find_predictions(tmp_path, part)


def test_several_predictions_must_be_told_apart(tmp_path: Path) -> None:
    for model in ("a", "b"):
        write_run(tmp_path, some_predictions(2), model)
    with pytest.raises(ValueError, match=r"several predictions, name one.*demo_demo_a_pred"):
        find_predictions(tmp_path, None)


def test_other_samples_and_labels_are_told(runs: list[Path], tmp_path: Path) -> None:
    fewer = write_run(tmp_path / "fewer", some_predictions(5), "fewer")
    with pytest.raises(ValueError, match="480 and 400, of which 80 and 0 in one file only"):
        members_of([runs[0], fewer])
    flipped = some_predictions(6).with_columns(label=1 - pl.col("label"))
    other = write_run(tmp_path / "other", flipped, "other")
    with pytest.raises(ValueError, match="other labels for the same samples"):
        members_of([runs[0], other])


def test_damaged_predictions_are_told(runs: list[Path], tmp_path: Path) -> None:
    path = tmp_path / "x_predictions.parquet"
    path.write_bytes(b"PAR1 half")
    with pytest.raises(ValueError, match=r"x_predictions\.parquet: no readable predictions"):
        read_members([path, path])
    some_predictions(2).drop("score", "uid").write_parquet(path)
    with pytest.raises(ValueError, match="lacks the columns uid, score"):
        read_members([path, path])


def test_one_run_is_no_ensemble(runs: list[Path], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="got 1 runs, expected two or more"):
        write_ensemble(runs[:1], "mean", tmp_path, None, "val")
    with pytest.raises(ValueError, match="method is 'median', expected 'mean' or 'xgboost'"):
        combine(members_of(runs), "median")


class TestStacking:
    @pytest.fixture(autouse=True)
    def _needs_xgboost(self) -> None:
        pytest.importorskip("xgboost")

    def test_it_learns_whom_to_trust(self, runs: list[Path], tmp_path: Path) -> None:
        stacked = map_of(write_ensemble(runs, "xgboost", tmp_path, None, "val"))
        assert stacked > map_of(runs[0] / "test")

    def test_no_clip_is_judged_by_its_own_labels(self, runs: list[Path]) -> None:
        """Labels of a clip do not change its scores, but those of others."""
        members, stacking = members_of(runs), Stacking(num_trees=10)
        labels, clips = (members.samples[name].to_numpy() for name in ("label", "uid"))
        is_one = clips == "clip3"
        changed = np.where(is_one, 1 - labels, labels)
        one, other = (
            stacking.cross_fitted(members.scores, given, clips) for given in (labels, changed)
        )
        np.testing.assert_array_equal(one[is_one], other[is_one])
        assert (one[~is_one] != other[~is_one]).any()

    def test_a_higher_score_never_lowers_the_result(self, runs: list[Path]) -> None:
        members = members_of(runs)
        labels = members.samples["label"].to_numpy()
        raised = members.scores.copy()
        raised[:, 1] += 0.1
        low, high = (
            Stacking().fit_predict(members.scores, labels, given)
            for given in (members.scores, raised)
        )
        assert (high >= low).all()
        assert ((low >= 0) & (low <= 1)).all()

    def test_it_repeats(self, runs: list[Path]) -> None:
        members = members_of(runs)
        first, second = (combine(members, "xgboost")["score"].to_list() for _ in range(2))
        assert first == second

    def test_the_test_set_is_scored_by_what_val_taught(self, tmp_path: Path) -> None:
        paths = []
        for seed, name in enumerate("ab"):
            run = write_run(tmp_path / name, some_predictions(6, seed), name)
            unlabelled = some_predictions(2, 10 + seed, is_labelled=False)
            write_run(run, unlabelled, name, where="predict/demo_test")
            paths.append(run)
        folder = write_ensemble(paths, "xgboost", tmp_path / "out", "test", "val")
        assert validate_submission(folder / "evalai" / "xgboost_of_2.json", None).problems == ()
        val, test = (
            read_members([find_predictions(run, part) for run in paths]) for part in ("val", "test")
        )
        expected = Stacking().fit_predict(val.scores, val.samples["label"].to_numpy(), test.scores)
        written = pl.read_csv(folder / "xgboost_of_2_pred.csv", has_header=False)
        np.testing.assert_allclose(written[:, -1], expected)


def test_one_clip_or_one_class_cannot_teach() -> None:
    scores, labels = np.random.default_rng(0).random((10, 2)), np.arange(10) % 2
    with pytest.raises(ValueError, match="got samples of 1 clips"):
        Stacking().cross_fitted(scores, labels, np.full(10, "a"))
    with pytest.raises(ValueError, match="5 samples of one class"):
        Stacking().fit_predict(scores[:5], np.ones(5, int), scores)


def test_without_xgboost_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    scores = np.random.default_rng(0).random((10, 2))
    with pytest.raises(ValueError, match="type pip install xgboost, or choose --method mean"):
        Stacking().fit_predict(scores, np.arange(10) % 2, scores)
