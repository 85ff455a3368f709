"""Submissions: the original's json, ids untouched, and what a check finds."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from builders.small_lam import finish_store, small_row, write_clip

from gazepose.submission.__main__ import main
from gazepose.submission.check import validate_submission
from gazepose.submission.writing import convert_predictions, expected_samples, write_submission

GOLDEN = Path(__file__).parents[2] / "golden" / "gazepose" / "evalai"
IDS = [("v", "t1", "a1"), ("v", "t1", "a2"), ("w", "t2", "00012")]


def converted(name: str, folder: Path) -> Any:
    convert_predictions(GOLDEN / f"{name}.csv", folder / "out.json")
    return json.loads((folder / "out.json").read_text())


def recorded(name: str) -> Any:
    return json.loads((GOLDEN / f"{name}.json").read_text())


@pytest.mark.parametrize("name", ["plain", "five_plus_columns", "e2e_test_pred"])
def test_it_is_the_originals(name: str, tmp_path: Path) -> None:
    ours, originals = converted(name, tmp_path), recorded(name)
    # pandas' fast parser is off by a last bit; that of polars is exact.
    scores = [[entry.pop("score") for entry in each["results"]] for each in (ours, originals)]
    assert scores[0] == pytest.approx(scores[1], rel=1e-15)
    assert ours == originals


@pytest.mark.parametrize(
    ("name", "ids", "originals"),
    [
        ("numeric_ids", [("00012", "001"), ("00013", "002")], [(12, 1), (13, 2)]),
        ("hex_like_float_ids", [("1e5", "7"), ("00e3", "8")], [(100000.0, 7), (0.0, 8)]),
    ],
)
def test_ids_stay_as_they_are(
    name: str, ids: list[Any], originals: list[Any], tmp_path: Path
) -> None:
    def found(content: Any) -> list[Any]:
        return [(entry["unique_id"], entry["track_id"]) for entry in content["results"]]

    assert found(converted(name, tmp_path)) == ids
    assert found(recorded(name)) == originals


def test_na_is_an_id_and_a_missing_score_an_error(tmp_path: Path) -> None:
    lines = (GOLDEN / "na_like_ids.csv").read_text().splitlines()
    (tmp_path / "pred.csv").write_text("\n".join(lines[:2]) + "\n")
    convert_predictions(tmp_path / "pred.csv", tmp_path / "out.json")
    results = json.loads((tmp_path / "out.json").read_text())["results"]
    assert [entry["unique_id"] for entry in results] == ["NA", "null"]
    with pytest.raises(ValueError, match=r"row 3: score.* ''"):
        converted("na_like_ids", tmp_path)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("v,a,t,0,0.5", "row 1: label.* 0.* 1"),
        ("v,a,t,1,nan", "row 1: score.* (nan|NaN).* finite"),
        ("v,a,t,1", " 4 .* 5: uid,unique_id,trackid,label,score"),
    ],
)
def test_wrong_predictions_are_told(row: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "pred.csv").write_text(f"{row}\n")
    with pytest.raises(ValueError, match=said):
        convert_predictions(tmp_path / "pred.csv", tmp_path / "out.json")
    assert not (tmp_path / "out.json").exists()


@pytest.fixture
def good(tmp_path: Path) -> Path:
    video, track, unique = zip(*IDS, strict=True)
    predictions = {"uid": video, "trackid": track, "unique_id": unique, "score": [0.0, 1.0, 1e-12]}
    write_submission(pl.DataFrame(predictions), tmp_path / "good.json")
    return tmp_path / "good.json"


def test_a_good_file_is_fit(good: Path) -> None:
    report = validate_submission(good, IDS)
    assert report.problems == ()
    assert (report.num_entries, report.num_expected) == (3, 3)
    assert re.search("fit for submission, 3 .* 3 ", report.text)
    assert validate_submission(good, None).num_expected is None


def change(path: list[Any], value: Any) -> Callable[[Any], None]:
    def apply(content: Any) -> None:
        for key in path[:-1]:
            content = content[key]
        content[path[-1]] = value

    return apply


FIRST = ["results", 0]


@pytest.mark.parametrize(
    ("edit", "problem"),
    [
        (change(["version"], 1.0), 'version.* 1.0.* "1.0"'),
        (change(["challenge"], "ego4d"), 'challenge.* "ego4d".* "ego4d_looking_at_me"'),
        (change(["name"], "me"), "results: name"),
        (change(["results"], {}), "results.* dict.* list"),
        (change([*FIRST, "extra"], 1), r"1 .*video_id, unique_id, track_id.*results\[0\]"),
        (lambda content: content["results"][0].pop("label"), r"1 .*video_id.*results\[0\]"),
        (change(FIRST, [1]), r"1 .*video_id.*results\[0\]"),
        (change([*FIRST, "unique_id"], 12), r"1 .*results\[0\] unique_id = 12"),
        (change([*FIRST, "label"], 0), r"1 .*results\[0\] label = 0"),
        (change([*FIRST, "label"], True), r"1 .*results\[0\] label = true"),
        (change([*FIRST, "score"], 1.01), r"1 .*\[0, 1\].*results\[0\] score = 1.01"),
        (change([*FIRST, "score"], -0.01), r"1 .*\[0, 1\].*results\[0\] score = -0.01"),
        (change([*FIRST, "score"], float("nan")), r"1 .*results\[0\] score = NaN"),
        (change([*FIRST, "score"], "0.5"), r'1 .*results\[0\] score = "0.5"'),
        (change([*FIRST, "score"], True), r"1 .*results\[0\] score = true"),
        (lambda content: content["results"].pop(), "1 of 3 .*: w/t2/00012"),
        (change([*FIRST, "track_id"], "t9"), "1 .*not expected: v/t9/a1"),
        (lambda content: content["results"].append(content["results"][1]), "1 .*: v/t1/a2"),
    ],
)
def test_what_is_wrong_is_told(edit: Callable[[Any], Any], problem: str, good: Path) -> None:
    content = json.loads(good.read_text())
    edit(content)
    good.write_text(json.dumps(content))
    report = validate_submission(good, IDS)
    assert any(re.search(problem, found) for found in report.problems), report.problems
    assert "not to be submitted" in report.text


def test_many_problems_of_a_kind_are_one(good: Path) -> None:
    content = json.loads(good.read_text())
    content["results"] = [
        {**content["results"][0], "unique_id": str(number), "score": 2} for number in range(9)
    ]
    good.write_text(json.dumps(content))
    (problem,) = validate_submission(good, None).problems
    shown = "; ".join(f"results[{place}] score = 2" for place in range(3))
    assert problem.startswith("9 ")
    assert problem.endswith(f": {shown}; ...")


@pytest.mark.parametrize("score", ["1" + "0" * 400, "[" * 500 + "]" * 500])
def test_a_score_beyond_all_measure_is_a_problem(good: Path, score: str) -> None:
    content = json.loads(good.read_text())
    content["results"][1]["score"] = "HERE"
    good.write_text(json.dumps(content).replace('"HERE"', score))
    (problem,) = validate_submission(good, IDS).problems
    assert re.match(r"1 .*: results\[1\] score = ", problem)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), None])
def test_scores_that_are_no_numbers_are_not_written(bad: float | None, tmp_path: Path) -> None:
    columns = dict(zip(("uid", "trackid", "unique_id"), zip(*IDS, strict=True), strict=True))
    predictions = pl.DataFrame(columns | {"score": [0.5, bad, bad]})
    with pytest.raises(ValueError, match=r"2 of 3 .*trackid t1, unique_id a2"):
        write_submission(predictions, tmp_path / "bad.json")
    assert not list(tmp_path.iterdir())


def test_half_a_file_is_told(good: Path) -> None:
    good.write_text(good.read_text()[:-20])
    assert validate_submission(good, IDS).problems[0].startswith(str(good))
    good.write_text("[]")
    assert "list" in validate_submission(good, IDS).problems[0]
    with pytest.raises(ValueError, match=r"gone\.json"):
        validate_submission(good.with_name("gone.json"), IDS)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store of three faces of the test set, one without an image, and a clip of val."""
    generator, store_dir = np.random.default_rng(0), tmp_path / "store"
    for uid in ("v", "w"):
        rows = [
            small_row(generator, "test", track, 10 + place, place, unique_id=unique)
            for place, (video, track, unique) in enumerate(IDS)
            if video == uid
        ]
        image = np.zeros((32, 32, 3), np.uint8) if uid == "v" else False
        write_clip(store_dir, uid, [row | {"image": image} for row in rows])
    write_clip(store_dir, "of val", [small_row(generator, "val", "track0", 10, 0)])
    finish_store(store_dir)
    return store_dir


def test_what_is_expected_is_every_face_of_the_test_set(store: Path) -> None:
    assert expected_samples(store) == set(IDS)


def test_a_store_without_a_test_set_is_told(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"frames\.parquet.*python preprocess\.py"):
        expected_samples(tmp_path)
    write_clip(tmp_path, "v", [small_row(np.random.default_rng(0), "val", "track0", 10, 0)])
    finish_store(tmp_path)
    with pytest.raises(ValueError, match=r"frames\.parquet.* unique_id"):
        expected_samples(tmp_path)


def test_the_command_writes_and_checks(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pred, out = tmp_path / "pred.csv", tmp_path / "out.json"
    pred.write_text("v,a1,t1,1,0.5\nv,a2,t1,1,0.25\nw,00012,t2,1,1.0\n")
    assert main([str(pred), str(out), "--store", str(store)]) == 0
    assert "fit for submission, 3 scores" in capsys.readouterr().out
    pred.write_text("v,a1,t1,1,0.5\n")
    assert main([str(pred), str(out), "--store", str(store)]) == 1
    assert "2 of 3 " in capsys.readouterr().out
    assert main([str(out)]) == 0
    with pytest.raises(SystemExit):
        main([str(pred)])
    assert "PRED.csv OUT.json" in capsys.readouterr().err
