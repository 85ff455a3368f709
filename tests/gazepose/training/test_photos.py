"""Labelled photos from csv to a tested net: the road of clips."""

import json
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from builders.labelled_photos import (
    HEADER,
    RED_BOX,
    labelled_row,
    write_contact_photos,
    write_csv,
    write_photo,
)
from builders.small_lam_training import SMALL_NETS, SMALL_TRAINING, metrics_said, predict_here
from builders.small_training import composed, one_thread
from builders.written_results import summary_of

from common.config.instantiate import build
from common.preprocessing.command import prepare_store
from common.report.reading import read_results
from common.runs.run import fit_and_test
from common.store.reading import FaceStore
from gazepose.batch import CENTRE, NUM_FRAMES
from gazepose.store.table import LamTable

UNMEASURED = [f"data.preprocessor.preparation.{what}=none" for what in ("landmarks", "head_pose")]
SOURCES = ("shop", "street")


def typed(folder: Path, *more: str) -> list[str]:
    return ["data=contact_photos", f"data.store_dir={folder / 'store'}", *more]


@cache
def preprocess_config(*more: str) -> str:
    """The config as json, of the folder FOLDER: one composition serves many folders."""
    where = ["data.raw_dir=FOLDER", "paths.run_dir=RUN", "num_workers=0"]
    overrides = typed(Path("FOLDER"), *where, *UNMEASURED, *more)
    return json.dumps(composed("preprocess", *overrides))


def preprocess(folder: Path, *more: str) -> str:
    outcome = prepare_store(json.loads(preprocess_config(*more).replace("FOLDER", str(folder))))
    assert not outcome.has_errors
    return outcome.report


def write_people(folder: Path) -> None:
    """Write six people of four photos, two of which look, of two sources."""
    rows = []
    for number in range(24):
        person, image = f"p{number % 6}", f"{number:02d}.jpg"
        write_photo(folder / image)
        rows.append(labelled_row(image, number // 6 % 2, person, SOURCES[number % 2]))
    write_csv(folder / "labels.csv", rows, (*HEADER, "person", "source"))


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("people")
    write_people(folder)
    preprocess(folder, "data.reader.split_fractions=[0.34,0.33,0.33]")
    return folder


@pytest.fixture(scope="module")
def run_dir(people: Path) -> Path:
    run_dir = people / "runs" / "one"
    options = ["data.datamodule.num_workers=0", "trainer.max_epochs=1", f"paths.run_dir={run_dir}"]
    config = composed("train", *SMALL_NETS["gazelstm"], *SMALL_TRAINING, *typed(people, *options))
    with one_thread():
        fit_and_test(config, {}, run_dir)
    return run_dir


def test_photos_may_leave_a_store(tmp_path: Path) -> None:
    """Of few photos many a share holds one: it is empty then."""
    labels = write_contact_photos(tmp_path, 8) / "labels.csv"
    text = labels.read_text()
    preprocess(tmp_path)
    before = set(FaceStore(tmp_path / "store").table["group_name"])
    labels.write_text(text.partition("a/06")[0])
    assert preprocess(tmp_path, "mode=check").startswith("0 errors")
    report = preprocess(tmp_path) + preprocess(tmp_path, "mode=check")
    assert "without one image" not in report
    assert "has changed since" not in report
    store = FaceStore(tmp_path / "store")
    assert set(store.table["group_name"]) < before
    frames = pl.read_parquet(tmp_path / "store" / "frames.parquet")
    assert sorted(frames["photo"]) == [f"a/{number:02d}.jpg" for number in range(6)]
    assert [store.image(row).shape for row in range(6)] == [(224, 224, 3)] * 6
    labels.write_text(text)
    preprocess(tmp_path)
    assert set(FaceStore(tmp_path / "store").table["group_name"]) == before


def test_a_row_that_named_no_source_may_be_corrected(tmp_path: Path) -> None:
    write_people(tmp_path)
    text = (tmp_path / "labels.csv").read_text()
    (tmp_path / "labels.csv").write_text(text + "00.jpg\n")
    assert "1 group without one image" in preprocess(tmp_path)
    (tmp_path / "labels.csv").write_text(text)
    assert "without one image" not in preprocess(tmp_path)


def test_a_photo_is_seen_seven_times(people: Path) -> None:
    data = build(
        composed("train", "model=gazelstm", *typed(people, "paths.run_dir=RUN"))["data"][
            "datamodule"
        ]
    )
    rows = data.test_rows()
    assert len(rows) == 8
    clip = data.sample(int(rows[0]), "test")["clip"].numpy()
    assert clip.shape[0] == NUM_FRAMES
    for frame in clip:
        np.testing.assert_array_equal(frame, clip[CENTRE])
    # Of the red square, not of what is around it.
    assert clip[CENTRE][8:-8, 8:-8, 0].min() > 150


def test_it_is_tested_on_other_people_than_chose_the_checkpoint(run_dir: Path) -> None:
    found = summary_of(run_dir / "test")
    assert (found["part"], found["num_samples"], found["num_positive"]) == ("test", 8, 4)
    assert "note" not in found
    (checkpoint,) = (run_dir / "checkpoints").glob("best.ckpt")
    assert checkpoint.is_file()


def test_intervals_are_over_people_and_results_by_source(run_dir: Path) -> None:
    found = summary_of(run_dir / "test")
    assert (found["clips_are"], found["num_clips"]) == ("people", 2)
    people = {item["slice"]: item["num_samples"] for item in found["by"]["clip"]}
    assert set(people.values()) == {4}
    assert all(name.startswith("p") for name in people)
    sources = {item["slice"]: item["num_samples"] for item in found["by"]["source"]}
    assert sum(sources.values()) == 8
    assert set(sources) <= set(SOURCES)
    predictions = pl.read_parquet(next((run_dir / "test").glob("*_predictions.parquet")))
    assert set(predictions["uid"]) == set(people)
    assert predictions["photo"].n_unique() == 8


def test_the_report_speaks_of_people(run_dir: Path) -> None:
    (test,) = read_results(run_dir.parent).tests
    assert (test.cluster, len(test.protocol.clips)) == ("people", 2)
    assert "people: 2" in test.protocol.caption
    assert "source" in test.slicings


def test_predict_tests_the_run_again(run_dir: Path) -> None:
    said = metrics_said(predict_here(f"run={run_dir}", "split=test"))
    assert said["test/map"] == pytest.approx(summary_of(run_dir / "test")["map"], abs=1e-4)


def test_photos_of_nobody_known_are_resampled_one_by_one(tmp_path: Path) -> None:
    write_contact_photos(tmp_path)
    report = preprocess(tmp_path)
    assert "photos" in report
    assert "clips" not in report
    table = pl.read_parquet(tmp_path / "store" / "frames.parquet")
    assert table["photo"].n_unique() == 12
    assert table["source"].is_null().all()
    assert table["group_name"].n_unique() < 12


def test_rows_added_to_the_file_come_into_the_store(tmp_path: Path) -> None:
    write_contact_photos(tmp_path)
    preprocess(tmp_path, "data.reader.part=test")
    write_contact_photos(tmp_path, 30)
    preprocess(tmp_path, "data.reader.part=test")
    table = pl.read_parquet(tmp_path / "store" / "frames.parquet")
    assert sorted(table["photo"]) == [f"a/{number:02d}.jpg" for number in range(30)]


def test_a_box_beyond_the_photo_is_cut_to_it_and_one_outside_has_no_image(tmp_path: Path) -> None:
    write_photo(tmp_path / "a.jpg")
    boxes = [RED_BOX, (-40, -40, 60, 60), (130, 60, 400, 400), (200, 10, 220, 30)]
    write_csv(tmp_path / "labels.csv", [("a.jpg", *box, 1) for box in boxes])
    assert "1  the box lies outside" in preprocess(tmp_path, "data.reader.part=test")
    table = pl.read_parquet(tmp_path / "store" / "frames.parquet").sort("track_id")
    assert (table["num_bytes"] > 0).to_list() == [True, True, True, False]


def test_another_split_of_the_same_photos_is_told_apart(tmp_path: Path) -> None:
    """All parts are in one group: its name says nothing of them."""
    write_contact_photos(tmp_path, 40)
    found = []
    for seed in (0, 1):
        store = tmp_path / f"store{seed}"
        preprocess(tmp_path, f"data.reader.split_seed={seed}", f"data.store_dir=FOLDER/store{seed}")
        found.append(LamTable.read(store).parts_sha256())
    assert found[0] != found[1]
