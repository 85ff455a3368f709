"""The originals' tree and weights -> store -> scores, against the originals' own runs.

The originals ran on the tiny tree of `tiny_ego4d` with weights filled as `golden_nets` says (whole
``val`` and ``eval`` runs of their main program, CPU). Their loaders shuffle: rows go by key.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import torch
from builders import golden_nets as golden
from builders.golden_ego4d import expected, is_misled, unpack
from builders.small_lam_training import metrics_said, predict_here
from builders.small_training import composed

from common.preprocessing.command import prepare_store
from gazepose import evaluate_lam
from gazepose.submission.check import validate_submission
from gazepose.submission.writing import expected_samples

RUNS: dict[str, Any] = json.loads((golden.GOLDEN_DIR / "e2e.json").read_text())
# Row for row the originals' probabilities, whose float32 goes through other orders of summation.
ATOL = 1e-5
STATES: dict[str, Callable[[], Any]] = {
    "gazepose": lambda: golden.gazepose_state("h1l1"),
    "gazelstm": golden.gazelstm_state,
}


@pytest.fixture(scope="module")
def work_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tree and store. Train and val of the tree share their clips, which one store refuses."""
    folder = tmp_path_factory.mktemp("original")
    tree = unpack(folder)
    typed = ["data=face_imgs", f"data.raw_dir={tree}", "data.reader.parts=[val,test]"]
    typed += [f"data.store_dir={folder / 'store'}", "num_workers=0", "paths.run_dir=x"]
    prepare_store(composed("preprocess", *typed))
    return folder


def scored(work_dir: Path, run: str, split: str) -> tuple[Path, str]:
    """Score a split with the original's weights; return where, and what was said."""
    model = run.partition("_")[0]
    dropout = "gaussian" if "--Gaussiandrop" in RUNS[run]["argv"] else "none"
    checkpoint, folder = work_dir / "original.pth", work_dir / run
    torch.save(STATES[model](), checkpoint)
    said = predict_here(
        *(f"model={model}", f"checkpoint={checkpoint}", f"dropout={dropout}"),
        *("data=face_imgs", f"data.store_dir={work_dir / 'store'}", f"split={split}"),
        *("data.datamodule.num_workers=0", f"output_dir={folder}"),
    )
    checkpoint.unlink()
    return folder / f"face_imgs_face_imgs_{model}", said


@pytest.mark.parametrize(
    "run",
    [
        "gazepose_val_gauss",
        *(pytest.param(n, marks=pytest.mark.slow) for n in ("gazepose_val", "gazelstm_val_gauss")),
    ],
)
def test_validation(work_dir: Path, run: str) -> None:
    stem, said = scored(work_dir, run, "val")
    recorded = RUNS[run]
    pred = pl.read_csv(f"{stem}_pred.csv", has_header=False)
    found = {(uid, frame, track): row for uid, frame, *row, track, _, _ in pred.rows()}
    scores = {(uid, frame, track): score for uid, frame, *_, track, _, score in pred.rows()}
    assert len(pred) == len(scores) == len(recorded["rows"])
    for uid, frame, track, box, _, score in recorded["rows"]:
        assert found[uid, frame, track] == pytest.approx(box, abs=1e-9)
        assert scores[uid, frame, track] == pytest.approx(score, abs=ATOL)
    truth = pl.read_csv(f"{stem}_gt.csv", has_header=False).rows()
    labels = {(uid, frame, track): label for uid, frame, *_, track, label in truth}
    assert labels == {(u, f, t): label for u, f, t, _, label, _ in recorded["rows"]}
    check_numbers(stem, said, recorded)


def check_numbers(stem: Path, said: str, recorded: dict[str, Any]) -> None:
    """Compare mAP, accuracy and confusion, by whatever way one gets them."""
    official = evaluate_lam(f"{stem}_gt.csv", f"{stem}_pred.csv")
    summary = json.loads(Path(f"{stem}.json").read_text())
    assert metrics_said(said)["test/map"] == pytest.approx(recorded["map"], abs=1e-4)
    for numbers in (official, summary):
        assert numbers["map"] == pytest.approx(recorded["map"], abs=1e-6)
        assert 100 * numbers["accuracy"] == pytest.approx(recorded["accuracy_percent"], abs=1e-3)
        (tn, fp), (fn, tp) = numbers["confusion"]
        # The original's table has LAM first, in percent of each row.
        for name, said_lam, said_not in (("LAM", tp, fn), ("NLAM", fp, tn)):
            percent = [100 * num / (said_lam + said_not) for num in (said_lam, said_not)]
            assert percent == pytest.approx(recorded["confusion_percent"][name], abs=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("run", "num_compared"), [("gazepose_test_gauss", 28), ("gazelstm_test", 28)]
)
def test_the_unlabelled_set(work_dir: Path, run: str, num_compared: int) -> None:
    """All clips but those for which the original finds another frame than it looks for."""
    stem, said = scored(work_dir, run, "test")
    assert "test/map" not in said
    pred = pl.read_csv(f"{stem}_pred.csv", has_header=False, infer_schema=False)
    scores = {(track, unique): float(score) for _, unique, track, _, score in pred.rows()}
    items = expected()["test"]["gauss" if "gauss" in run else "plain"]["items"]
    misled = {
        (item["track"], item["unique_id"])
        for item in items
        if is_misled(work_dir / "tiny_ego4d", item)
    }
    compared = {(t, u): s for t, u, s in RUNS[run]["rows"] if (t, u) not in misled}
    assert len(compared) == num_compared
    assert {key: scores[key] for key in compared} == pytest.approx(compared, abs=ATOL)
    report = validate_submission(
        stem.parent / "evalai" / f"{stem.name}.json", expected_samples(work_dir / "store")
    )
    assert (report.problems, report.num_entries) == ((), len(RUNS[run]["rows"]))
