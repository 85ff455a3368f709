"""mode=split and mode=statistics: what they write, and training on it."""

import json
import pickle
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from builders.small_store import write_small_store
from builders.small_training import composed, small_config

from common.files.sealed import write_json
from common.preprocessing.command import prepare_store
from common.runs.run import build_data
from common.store.reading import read_recipe
from flame.data.datamodule import GazeDataModule
from flame.data.statistics import gaze_convention_of, gaze_frame_of

HALVES = "data.datamodule.split_fractions=[0.5,0.25,0.25]"
PARTS = ("train", "val", "test")


@pytest.fixture
def store_dir(tmp_path: Path) -> Path:
    write_small_store(tmp_path / "store", num_subjects=8, num_faces=2)
    return tmp_path / "store"


def preprocess(store_dir: Path, *typed: str) -> str:
    folders = [f"data.store_dir={store_dir}", "paths.run_dir=x"]
    config = composed("preprocess", "data=columbiagaze", HALVES, *folders, *typed)
    return prepare_store(config).report


def data_of_training(store_dir: Path, *typed: str) -> GazeDataModule:
    data: GazeDataModule = build_data(small_config(store_dir, store_dir / "run", *typed))
    return data


@pytest.mark.parametrize(("nature", "suffix"), [("cross_person", "pkl"), ("random", "json")])
def test_training_uses_exactly_the_samples_of_a_split_file(
    store_dir: Path, nature: str, suffix: str
) -> None:
    path = store_dir.parent / f"mine.{suffix}"
    drawn = [f"data.datamodule.split={nature}", "data.datamodule.split_seed=5"]
    said = preprocess(store_dir, "mode=split", *drawn, f"export_file={path}")
    assert f"{nature}_seed5: 4 train, 2 val, 2 test" in said
    assert said.endswith(str(path))
    from_file = data_of_training(store_dir, f"data.datamodule.split={path}")
    drawn_anew = data_of_training(store_dir, *drawn)
    assert from_file.table.equals(drawn_anew.table)
    assert data_of_training(store_dir).table["part"].to_list() != from_file.table["part"].to_list()
    assert from_file.statistics() == drawn_anew.statistics()


def test_a_split_file_goes_into_the_store_under_its_name(store_dir: Path) -> None:
    said = preprocess(store_dir, "mode=split", "data.datamodule.split=cross_person")
    path = store_dir / "split_cross_person_seed0.json"
    assert said.endswith(str(path))
    content = json.loads(path.read_text())
    assert [len(content[part]) for part in PARTS] == [4, 2, 2]
    assert content["unit"] == "subject"
    assert not list(store_dir.glob(".*"))


@pytest.mark.parametrize("suffix", ["json", "pkl"])
def test_a_file_of_ranges_has_those_that_training_takes(store_dir: Path, suffix: str) -> None:
    path = store_dir.parent / f"mine.{suffix}"
    split = "data.datamodule.split=cross_person"
    preprocess(store_dir, "mode=statistics", split, f"export_file={path}")
    ranges = data_of_training(store_dir, split).statistics()
    other = [split, "data.datamodule.split_seed=1"]
    assert data_of_training(store_dir, *other).statistics() != ranges
    from_file = data_of_training(store_dir, *other, f"data.datamodule.statistics={path}")
    assert from_file.statistics() == ranges
    known = {"json": "columbia_target_angles", "pkl": "flame_layout"}
    assert gaze_convention_of(path) == known[suffix]
    assert gaze_frame_of(path) == "camera"


def test_a_file_of_ranges_tells_the_frame(store_dir: Path) -> None:
    recipe = store_dir / "store.json"
    before = recipe.read_text()
    write_json(recipe, {**read_recipe(store_dir), "gaze_frame": "normalised"})
    path = store_dir.parent / "normalised.json"
    split = "data.datamodule.split=cross_person"
    preprocess(store_dir, "mode=statistics", split, f"export_file={path}")
    recipe.write_text(before)
    assert gaze_frame_of(path) == "normalised"


def test_ranges_are_those_of_the_train_part_of_a_split_file(store_dir: Path) -> None:
    split_file = store_dir / "mine.pkl"
    split_file.write_bytes(pickle.dumps({"train": ["s3"], "test": ["s1"], "cv": ["s0"]}))
    split = f"data.datamodule.split={split_file}"
    preprocess(store_dir, "mode=statistics", split, "data.datamodule.statistics=eyediap")
    content = json.loads((store_dir / "statistics_mine.json").read_text())
    table = pl.read_parquet(store_dir / "tables" / "s3.parquet")
    gaze = table.select("gaze_yaw_rad", "gaze_pitch_rad").to_numpy().astype(np.float32)
    assert (content["gaze_min"], content["gaze_max"]) == (gaze.min(), gaze.max())


def test_the_originals_pickle_names_sessions_where_people_were_drawn(tmp_path: Path) -> None:
    write_small_store(tmp_path, num_subjects=4, num_faces=1)
    for path in (tmp_path / "tables").iterdir():
        number = int(path.stem[1:])
        person = pl.lit(f"person{min(number, 2)}")
        pl.read_parquet(path).with_columns(subject=person).write_parquet(path)
    file = tmp_path / "x.pkl"
    preprocess(tmp_path, "mode=split", "data.datamodule.split=cross_person", f"export_file={file}")
    content = pickle.loads(file.read_bytes())
    assert sorted(len(names) for names in content.values()) == [1, 1, 2]
    assert ["s2", "s3"] in content.values()


@pytest.mark.parametrize(("mode", "data"), [("split", "ego4d"), ("statistics", "gaze360")])
def test_data_whose_parts_are_given_are_refused(mode: str, data: str) -> None:
    with pytest.raises(ValueError, match=rf"mode={mode} .*data={data} "):
        prepare_store(composed("preprocess", f"data={data}", f"mode={mode}", "paths.run_dir=x"))


@pytest.mark.parametrize("mode", ["split", "statistics"])
def test_files_of_another_form_are_refused(store_dir: Path, mode: str) -> None:
    split = "data.datamodule.split=random"
    with pytest.raises(ValueError, match=r"x\.csv.*\.json.*\.pkl"):
        preprocess(store_dir, f"mode={mode}", split, "export_file=x.csv")


def test_every_fold_has_files_of_its_own(store_dir: Path) -> None:
    options = ["data.datamodule.split=person_folds", "data.datamodule.num_folds=4"]
    for mode in ("split", "statistics"):
        for fold in (0, 2):
            preprocess(store_dir, f"mode={mode}", *options, f"data.datamodule.fold={fold}")
        written = sorted(path.name for path in store_dir.glob(f"{mode}_*"))
        assert written == [f"{mode}_person_folds4_seed0_fold{fold}.json" for fold in (0, 2)]
    split = json.loads((store_dir / "split_person_folds4_seed0_fold2.json").read_text())
    data = data_of_training(store_dir, *options, "data.datamodule.fold=2")
    assert split["test"] == list(data.split.test)
    assert data.fingerprint()["fold"] == {"number": 2, "of": 4}
