"""What a test of eye contact leaves behind, read back and computed again."""

import csv
import json
import logging
import math
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from builders.fake_trainer import fake_trainer
from builders.kept_figures import kept_figures
from builders.small_lam import finish_store, small_row, write_clip, write_small_lam
from builders.small_predictions import small_predictions
from builders.written_results import summary_of, undrawn
from matplotlib.figure import Figure
from PIL import Image

from common.evaluation.score_slices import summarise
from common.evaluation.scores import describe_samples
from gazepose import evaluate_lam
from gazepose.data.datamodule import LamDataModule
from gazepose.evaluation.callback import LamTestResults
from gazepose.evaluation.event_agreement import event_numbers
from gazepose.evaluation.figures import save_score_figure
from gazepose.evaluation.files import decided, write_results
from gazepose.evaluation.predictions import predictions_table
from gazepose.evaluation.smoothing import TrackSmoothing
from gazepose.evaluation.threshold import Threshold, decision_numbers
from gazepose.submission.check import validate_submission
from gazepose.submission.writing import expected_samples

Outputs = list[dict[str, torch.Tensor]]
STEM = "other_small_gazelstm"
DESCRIBED = {"trained_on": "demo", "tested_on": "demo", "part": "val", "stride": 1}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> LamDataModule:
    store_dir = tmp_path_factory.mktemp("results") / "store"
    write_small_lam(store_dir, clips={"train": 1, "val": 3})
    return LamDataModule(name="small", store_dir=str(store_dir), val_stride=2, num_workers=0)


def outputs_of(data: LamDataModule, seed: int = 0) -> Outputs:
    """Scores of the tested rows, in shuffled batches of five."""
    rows = data.test_rows()
    order = np.random.default_rng(seed).permutation(len(rows))
    columns = {
        "score": torch.rand(len(rows), generator=torch.Generator().manual_seed(seed)),
        "label": torch.from_numpy(data.table.label[rows[order]].astype(np.int64)),
        "row": torch.from_numpy(rows[order]),
    }
    return [{name: c[i : i + 5] for name, c in columns.items()} for i in range(0, len(rows), 5)]


def written(
    data: LamDataModule, outputs: Outputs, folder: Path, smoothing: TrackSmoothing | None = None
) -> dict[str, float]:
    """Return what is logged."""
    logged: dict[str, float] = {}
    module: Any = SimpleNamespace(
        flip_average=False, log=logged.__setitem__, threshold=None, outputs=outputs
    )
    callback = LamTestResults(str(folder), "gazelstm", "other", smoothing or TrackSmoothing())
    callback.on_test_epoch_end(fake_trainer(data), module)
    return logged


@pytest.fixture(scope="module")
def tested(data: LamDataModule, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of a test whose smoothing changes nothing.

    Every other frame is tested: no other one lies within three.
    """
    folder = tmp_path_factory.mktemp("tested")
    logged = written(data, outputs_of(data), folder, TrackSmoothing("median", 3))
    assert logged == {"test/map": summary_of(folder)["map"]}
    return folder


def test_rows_are_in_the_order_of_the_data_with_what_is_known(data: LamDataModule) -> None:
    outputs = outputs_of(data)
    found = predictions_table(outputs, data.table)
    table = pl.read_parquet(data.table.store_dir / "frames.parquet")[data.test_rows()]
    assert found["uid"].to_list() == table["group_name"].to_list()
    for name in ("frame", "x1", "y2", "label", "sharpness", "sharpness_p", "head_yaw_deg"):
        assert found[name].to_list() == table[name].to_list(), name
    assert found["trackid"].to_list() == table["track_id"].to_list()
    assert found["track_length"].unique().to_list() == [12]
    scores = {
        int(row): float(score)
        for output in outputs
        for row, score in zip(output["row"], output["score"], strict=True)
    }
    assert found["score"].to_list() == [scores[int(row)] for row in data.test_rows()]


def test_a_clip_keeps_its_name_whatever_it_is(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    for name in ("val.mp4", "val2"):
        write_clip(tmp_path, name, [small_row(generator, "val", "track0", 10, 0)])
    finish_store(tmp_path)
    data = LamDataModule(name="small", store_dir=str(tmp_path), num_workers=0)
    assert predictions_table(outputs_of(data), data.table)["uid"].to_list() == ["val.mp4", "val2"]


def test_the_official_files_give_the_summarys_numbers(tested: Path) -> None:
    summary = summary_of(tested)
    official = evaluate_lam(tested / f"{STEM}_gt.csv", tested / f"{STEM}_pred.csv")
    assert summary["confusion"] == official.pop("confusion")
    assert {name: summary[name] for name in official} == pytest.approx(official)
    assert {path.name for path in tested.iterdir()} == {
        STEM + end
        for end in (".json", "_pred.csv", "_gt.csv", "_slices.csv", "_predictions.parquet", ".png")
    }


def test_the_official_files_have_the_originals_form(data: LamDataModule, tested: Path) -> None:
    found = predictions_table(outputs_of(data), data.table)
    for end, columns in (
        ("gt", [*("uid", "frame", "x1", "y1", "x2", "y2", "trackid", "label")]),
        ("pred", [*("uid", "frame", "x1", "y1", "x2", "y2", "trackid"), None, "score"]),
    ):
        with (tested / f"{STEM}_{end}.csv").open(newline="") as file:
            rows = list(csv.reader(file))
        assert len(rows) == found.height
        for place, column in enumerate(columns):
            values = [row[place] for row in rows]
            if column is None:
                assert set(values) == {"1"}
            elif column in ("uid", "trackid"):
                assert values == found[column].to_list()
            else:
                assert [float(value) for value in values] == found[column].to_list()


def test_the_summary_says_what_was_tested(tested: Path) -> None:
    summary = summary_of(tested)
    expected = {
        "kind": "eye_contact_test",
        "unit": "mAP",
        "model": "gazelstm",
        "trained_on": "other",
        "tested_on": "small",
        "part": "val",
        "stride": 2,
        "num_samples": 36,
        "num_clips": 3,
        "protocol": {
            "landmark_source": "mesh",
            "head_pose_source": "mesh",
            "dropout": "none",
            "stride": 2,
            "flip_average": False,
            "precision": "32-true",
            "smoothing": "median, 3 frames",
        },
        # Nothing is known of its frame rate.
        "events": None,
    }
    assert {name: summary[name] for name in expected} == expected
    assert "map_raw" not in summary
    assert summary["baselines"]["constant"] == 0.5
    assert set(summary["baselines"]) == {"constant", "head_pose", "sharpness"}


def test_a_map_that_is_not_defined_is_logged_as_no_number(
    data: LamDataModule, tmp_path: Path
) -> None:
    outputs = [{**output, "label": torch.zeros(5).long()} for output in outputs_of(data)[:7]]
    logged = written(data, outputs, tmp_path, TrackSmoothing())
    assert math.isnan(logged.pop("test/map"))
    assert logged == {}


def test_smoothed_scores_are_written_logged_and_said(
    data: LamDataModule, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    smoothing, outputs = TrackSmoothing("gaussian", 4), outputs_of(data)
    with caplog.at_level(logging.INFO), undrawn():
        logged = written(data, outputs, tmp_path, smoothing)
    pred = pl.read_csv(tmp_path / f"{STEM}_pred.csv", has_header=False)
    raw = predictions_table(outputs, data.table)
    np.testing.assert_allclose(pred[:, -1], smoothing(raw)["score"], rtol=1e-12)
    summary = summary_of(tmp_path)
    assert logged == {"test/map": summary["map"], "test/map_raw": summary["map_raw"]}
    assert summary["map_raw"] == describe_samples(raw)["map"] != summary["map"]
    # Beside what needs no net.
    others, at = summary["baselines"], summary["at_threshold"]
    (said,) = caplog.messages
    assert re.findall(r"-?\d\.\d{4}", said) == [
        f"{number:.4f}"
        for number in (
            *(summary["map"], summary["map_raw"]),
            *(others["constant"], others["head_pose"], others["sharpness"]),
            *(at["f1"], at["kappa"], at["threshold"]),
        )
    ]
    assert STEM in said


def test_decisions_at_the_chosen_threshold_stand_beside_those_at_one_half(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    predictions, threshold = small_predictions(), Threshold(0.31, "greatest F1")
    with caplog.at_level(logging.INFO), undrawn():
        write_results(predictions, DESCRIBED, tmp_path, "stem", None, threshold, 30.0)
    summary = summary_of(tmp_path)
    columns = (predictions[name].to_numpy() for name in ("score", "label", "uid"))
    at = summary["at_threshold"]
    assert at == {
        "threshold": 0.31,
        "rule": "greatest F1",
        "chosen_on": "demo, val part",
        "is_chosen_here": True,
        **decision_numbers(*columns, 0.31),
    }
    assert summary["events"] == event_numbers(predictions, 0.31, 1, 30.0)
    assert "0.3100 (greatest F1 on demo, val part, these very samples)" in caplog.text
    # What is published stays at one half.
    assert summary["confusion"] == describe_samples(predictions)["confusion"] != at["confusion"]


@pytest.mark.parametrize("changes", [{"part": "test"}, {"tested_on": "other"}])
def test_a_threshold_chosen_on_other_samples_says_so(changes: dict[str, str]) -> None:
    at = decided(small_predictions(), DESCRIBED | changes, Threshold(0.3, "x"), None)[
        "at_threshold"
    ]
    assert (at["chosen_on"], at["is_chosen_here"]) == ("demo, val part", False)


def test_without_a_chosen_threshold_it_is_one_half(tested: Path) -> None:
    summary = summary_of(tested)
    at = summary["at_threshold"]
    assert (at["threshold"], at["rule"], at["chosen_on"]) == (0.5, None, None)
    assert not at["is_chosen_here"]
    assert at["confusion"] == summary["confusion"]


def test_scores_that_are_no_numbers_are_an_error(data: LamDataModule, tmp_path: Path) -> None:
    outputs = outputs_of(data)
    outputs[0]["score"][:2] = torch.tensor([math.nan, math.inf])
    with pytest.raises(ValueError, match=r"2 of 36 .*uid val"):
        written(data, outputs, tmp_path)
    broken = small_predictions().with_columns(score=pl.lit(math.nan))
    with pytest.raises(ValueError, match=r"320 of 320 .*uid clip0, trackid s, frame 0"):
        write_results(broken, {}, tmp_path, "stem")
    assert not list(tmp_path.iterdir())


def test_several_processes_are_refused_before_they_overwrite_each_other(tmp_path: Path) -> None:
    callback = LamTestResults(str(tmp_path / "run" / "test"), "gazelstm", "x", TrackSmoothing())
    trainer: Any = SimpleNamespace(world_size=2)
    with pytest.raises(ValueError, match=r" 2 .*trainer\.devices=1.*run=.*/run split=test"):
        callback.on_test_start(trainer, None)  # type: ignore[arg-type]


def test_the_unlabelled_set_becomes_a_submission(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    generator, store_dir = np.random.default_rng(0), tmp_path / "store"
    ids = iter(range(100))
    for uid in ("v", "w"):
        rows = [
            small_row(generator, "test", f"track{t}", f, f, unique_id=f"{next(ids):05d}")
            for t in range(2)
            for f in range(5)
        ]
        write_clip(store_dir, uid, rows)
    finish_store(store_dir)
    data = LamDataModule("small", str(store_dir), test_part="test", num_workers=0)
    with caplog.at_level(logging.INFO):
        assert written(data, outputs_of(data), tmp_path / "test") == {}
    assert "no metrics: 20 scores" in caplog.text
    assert "test_stride" not in caplog.text
    assert "fit for submission, 20 scores" in caplog.text
    assert "no image" not in caplog.text
    submission = tmp_path / "test" / "evalai" / "other_small_gazelstm.json"
    report = validate_submission(submission, expected_samples(store_dir))
    assert report.problems == ()
    pred = (tmp_path / "test" / "other_small_gazelstm_pred.csv").read_text().splitlines()
    entries = json.loads(submission.read_text())["results"]
    assert pred[0].split(",")[:4] == ["v", "00000", "track0", "1"]
    assert [float(line.split(",")[4]) for line in pred] == [entry["score"] for entry in entries]
    # No json beside the results of tests: the report takes those for tests.
    assert not list((tmp_path / "test").glob("*.json"))
    every_other = LamDataModule(
        "small", str(store_dir), test_part="test", test_stride=2, num_workers=0
    )
    written(every_other, outputs_of(every_other), tmp_path / "every_other")
    assert "every 2. frame" in caplog.text
    assert "datamodule={test_stride:1}" in caplog.text
    assert "8 of 20" in caplog.text


def test_challenge_samples_without_an_image_are_scored_and_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    generator = np.random.default_rng(0)
    rows = [
        small_row(generator, "test", "track0", i, i, unique_id=f"u{i}", image=i not in (0, 3))
        for i in range(5)
    ]
    write_clip(tmp_path / "store", "v", rows)
    finish_store(tmp_path / "store")
    data = LamDataModule("small", str(tmp_path / "store"), test_part="test", num_workers=0)
    with caplog.at_level(logging.INFO):
        written(data, outputs_of(data), tmp_path / "test")
    assert "2 of 5 samples have no image" in caplog.text
    assert "fit for submission, 5 scores" in caplog.text


def test_videos_without_labels_and_ids_get_scores_only(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    predictions = small_predictions(num_clips=1).with_columns(label=pl.lit(-1))
    with caplog.at_level(logging.WARNING):
        write_results(predictions, {}, tmp_path, "stem")
    assert "no metrics: 80 scores" in caplog.text
    assert {path.name for path in tmp_path.iterdir()} == {
        "stem_predictions.parquet", "stem_pred.csv",
    }  # fmt: skip
    assert pl.read_csv(tmp_path / "stem_pred.csv", has_header=False).width == 9


def test_samples_without_a_label_are_left_out_of_the_numbers(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    label = pl.when(pl.col("frame") < 5).then(-1).otherwise(pl.col("label"))
    predictions = small_predictions().with_columns(label=label)
    with caplog.at_level(logging.WARNING), undrawn():
        write_results(predictions, DESCRIBED, tmp_path, "stem")
    assert "40 of 320" in caplog.text
    assert summary_of(tmp_path)["num_samples"] == 280
    assert pl.read_parquet(tmp_path / "stem_predictions.parquet").height == 320


def test_one_class_is_written_and_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    predictions = small_predictions().with_columns(label=pl.lit(0))
    with caplog.at_level(logging.WARNING):
        write_results(predictions, DESCRIBED, tmp_path, "stem")
    assert "all 320 samples" in caplog.text
    summary = summary_of(tmp_path)
    assert (summary["map"], summary["ap_lam"]) == (None, None)
    assert summary["ap_not_lam"] == 1
    assert (tmp_path / "stem.png").is_file()


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """The figures that are saved."""
    return kept_figures(monkeypatch)


def test_the_figure_shows_the_summary(drawn: list[Figure], tmp_path: Path) -> None:
    predictions = small_predictions()
    summary = summarise(predictions)
    save_score_figure(predictions, summary, tmp_path / "f.png", "demo")
    panels = {axis.get_title(): axis for axis in drawn[0].axes}
    titles = {"sharpness": "by sharpness", "face_size": "by face size [px]", "clip": "by clip"}
    titles |= {"head_yaw": "by head yaw to either side [deg]"}
    titles |= {"head_pitch": "by head pitch, up or down [deg]"}
    titles |= {"track_length": "by track length [frames]"}
    for kind, title in titles.items():
        heights = [bar.get_height() for bar in panels[title].patches]
        np.testing.assert_allclose(heights, [item["map"] for item in summary["by"][kind]])
    counts = [text.get_text().split("\n")[0] for text in panels["confusion"].texts]
    assert counts == [str(count) for row in summary["confusion"] for count in row]
    labels = [line.get_label() for line in panels["precision over recall"].lines]
    assert labels == [
        f"looks at the camera: AP {summary['ap_lam']:.3f}",
        f"does not: AP {summary['ap_not_lam']:.3f}",
    ]
    assert drawn[0].get_suptitle().startswith(f"demo: mAP {summary['map']:.3f}, n = 320, ")
    with Image.open(tmp_path / "f.png") as image:
        assert image.size == (1800, 900)


def test_of_many_clips_the_largest_are_drawn(drawn: list[Figure], tmp_path: Path) -> None:
    predictions = small_predictions(num_clips=70)
    is_large = pl.col("uid").is_in([f"clip{number}" for number in range(60)])
    predictions = predictions.filter(is_large | (pl.col("frame") < 30))
    clip_slices = [
        {"slice": f"clip{number}", "num_samples": 80 if number < 60 else 60, "map": 0.5,
         "interval_over_clips": None}
        for number in range(70)
    ]  # fmt: skip
    summary = summarise(small_predictions(num_clips=2))
    summary["by"]["clip"] = clip_slices
    save_score_figure(predictions, summary, tmp_path / "f.png", "demo")
    (axis,) = (axis for axis in drawn[0].axes if "largest of 70" in axis.get_title())
    assert len(axis.patches) == 60
