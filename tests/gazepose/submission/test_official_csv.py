"""Evaluation of csv files: the originals' numbers, and what is said about wrong files."""

import csv
import json
import logging
import re
from math import isnan
from pathlib import Path
from typing import Any

import pytest
from builders.brute_precision import mean_precision

from gazepose import evaluate_lam

GOLDEN = Path(__file__).parents[2] / "golden" / "gazepose" / "metric"
SETS: dict[str, Any] = json.loads((GOLDEN / "metric_expected.json").read_text())["sets"]
TIED = ("allequal", "small_ties12", "ties")
PLAIN = tuple(
    name for name, found in SETS.items() if found["run_evaluation"]["ok"] and name not in TIED
)
GT, PREDICTION = "v,{frame},1.5,2.0,3.0,4.0,t,{label}", "v,{frame},1.5,2.0,3.0,4.0,t,1,{score}"


def evaluated(name: str) -> dict[str, Any]:
    return evaluate_lam(GOLDEN / f"{name}_gt.csv", GOLDEN / f"{name}_pred.csv")


def test_every_recorded_set_is_looked_at() -> None:
    looked_at = {*TIED, *PLAIN, "no_positives", "no_negatives", "missing_pred_row"}
    looked_at |= {"box_mismatch", "pred_label_not_1", "numeric_track_id"}
    assert looked_at == set(SETS)


@pytest.mark.parametrize("name", [name for name in PLAIN if name != "different_uids"])
def test_the_numbers_are_the_originals(name: str) -> None:
    found, detail = evaluated(name), SETS[name]["detail"]["value"]
    assert found["map"] == pytest.approx(SETS[name]["run_evaluation"]["value"], abs=1e-12)
    for key, class_name in (("ap_lam", "LAM"), ("ap_not_lam", "NLAM")):
        recorded = detail["per_class"][class_name]["AP_original"]["value"]
        assert found[key] == pytest.approx(recorded, abs=1e-12)
    _check_decisions(found, detail["confusion"])


@pytest.mark.parametrize("name", TIED)
def test_ties_stay_within_what_the_original_can_say(name: str) -> None:
    found, detail = evaluated(name), SETS[name]["detail"]["value"]
    for key, class_name in (("ap_lam", "LAM"), ("ap_not_lam", "NLAM")):
        recorded = detail["per_class"][class_name]
        assert recorded["AP_ties_worst"] - 1e-12 <= found[key]
        assert found[key] <= recorded["AP_ties_best"] + 1e-12
        # Not only within: the least, which no order of the rows changes.
        assert found[key] == pytest.approx(recorded["AP_ties_worst"], abs=1e-12)
    _check_decisions(found, detail["confusion"])


def _check_decisions(found: dict[str, Any], recorded: dict[str, float]) -> None:
    tn, fp, fn, tp = (recorded[name] for name in ("TN", "FP", "FN", "TP"))
    assert found["confusion"] == [[tn, fp], [fn, tp]]
    assert found["accuracy"] == pytest.approx(recorded["acc"], abs=1e-12)


@pytest.mark.parametrize(
    ("name", "defined", "undefined", "said"),
    [
        ("no_positives", "ap_not_lam", "ap_lam", "nobody .* 80 "),
        ("no_negatives", "ap_lam", "ap_not_lam", "everybody .* 40 "),
    ],
)
def test_one_class_is_answered_where_the_original_stops(
    name: str, defined: str, undefined: str, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        found = evaluated(name)
    assert isnan(found["map"])
    assert isnan(found[undefined])
    class_name = "LAM" if defined == "ap_lam" else "NLAM"
    recorded = SETS[name]["detail"]["value"]["per_class"][class_name]["AP_original"]["value"]
    assert found[defined] == pytest.approx(recorded, abs=1e-12)
    assert re.search(said, caplog.text)
    _check_decisions(found, SETS[name]["detail"]["value"]["confusion"])


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("box_mismatch", r"vid-00-uid:1:trk0x.*_gt.csv \(row 1\).*_pred.csv"),
        ("missing_pred_row", r"_pred.csv .* 1 .* 30 .*_gt.csv.* \(row 30\)"),
        ("pred_label_not_1", r"_pred.csv, row 4: label.* 0.* 1"),
        # The original says mAP 0.0 here, and nan accuracy: a wrong file, not a bad model.
        ("different_uids", r"_pred.csv .*_gt.csv .* other:1:trk0x .* vid-00-uid:1:trk0x"),
    ],
)  # fmt: skip
def test_recorded_errors_are_told(name: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        evaluated(name)


def test_numeric_track_ids_are_text() -> None:
    """The original stops with a TypeError; the numbers are an independent computation's."""
    with (GOLDEN / "numeric_track_id_gt.csv").open() as file:
        labels = {tuple(row[:2]): int(row[7]) for row in csv.reader(file)}
    with (GOLDEN / "numeric_track_id_pred.csv").open() as file:
        scores = {tuple(row[:2]): float(row[8]) for row in csv.reader(file)}
    expected = mean_precision([scores[key] for key in labels], list(labels.values()))
    assert evaluated("numeric_track_id")["map"] == pytest.approx(expected, abs=1e-12)


def test_repeated_rows_are_told(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        evaluated("duplicates")
    assert "duplicates_pred.csv: 30 of 230 rows" in caplog.text


def evaluate_texts(folder: Path, gt: str, predictions: str) -> dict[str, Any]:
    (folder / "gt.csv").write_text(gt)
    (folder / "pred.csv").write_text(predictions)
    return evaluate_lam(folder / "gt.csv", folder / "pred.csv")


def rows(form: str, **columns: list[Any]) -> str:
    values = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return "".join(f"{form.format(**row)}\n" for row in values)


GOOD_GT = rows(GT, frame=[1, 2], label=[1, 0])
GOOD_PREDICTIONS = rows(PREDICTION, frame=[2, 1], score=[0.1, 0.9])


def test_ids_are_never_numbers(tmp_path: Path) -> None:
    """pandas would read 007 and 7 as one track, NA as none at all."""
    gt = rows("v,1,1,1,2,2,{track},{label}", track=["007", "7", "NA"], label=[1, 0, 0])
    score = {"track": ["NA", "7", "007"], "score": [0.1, 0.2, 0.9]}
    predictions = rows("v,1,1,1,2,2,{track},1,{score}", **score)
    assert evaluate_texts(tmp_path, gt, predictions)["map"] == 1


def test_samples_without_boxes_pair_too(tmp_path: Path) -> None:
    gt, predictions = (
        text.replace("1.5,2.0,3.0,4.0", "NaN,NaN,NaN,NaN") for text in (GOOD_GT, GOOD_PREDICTIONS)
    )
    assert evaluate_texts(tmp_path, gt, predictions)["map"] == 1
    with pytest.raises(ValueError, match=r" v:1:t .*gt\.csv.*pred\.csv"):
        evaluate_texts(tmp_path, gt, GOOD_PREDICTIONS)


@pytest.mark.parametrize(
    ("gt", "predictions", "said"),
    [
        ("", GOOD_PREDICTIONS, "gt.csv .* uid,frame"),
        (GOOD_GT, GOOD_GT, "pred.csv .* 8 .* 9: uid,frame,x1"),
        (GOOD_PREDICTIONS, GOOD_GT, "gt.csv .* 9 .* 8: uid,frame,x1"),
        (GOOD_GT, GOOD_PREDICTIONS.replace("0.9", "nan"), "pred.csv, row 2: score.* nan.* finite"),
        (GOOD_GT, GOOD_PREDICTIONS.replace("0.9", "high"), "pred.csv, row 2: score.* 'high'"),
        (GOOD_GT, GOOD_PREDICTIONS.replace("v,1", "v,x"), "pred.csv, row 2: frame.* 'x'.* whole"),
        (GOOD_GT.replace("t,0", "t,2"), GOOD_PREDICTIONS, "gt.csv, row 2: label.* 2.* 1 or 0"),
        (GOOD_GT + "x," * 30, GOOD_PREDICTIONS, "gt.csv is no csv of uid,frame"),
        (rows(GT, frame=[1], label=[1]), GOOD_PREDICTIONS, "gt.csv .* 1 .* 2 .*pred.csv"),
    ],
)  # fmt: skip
def test_wrong_files_are_told(tmp_path: Path, gt: str, predictions: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        evaluate_texts(tmp_path, gt, predictions)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"gt\.csv"):
        evaluate_lam(tmp_path / "gt.csv", tmp_path / "pred.csv")
