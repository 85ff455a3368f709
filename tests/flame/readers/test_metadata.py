"""FLAME's pickles of splits and ranges, both ways."""

import pickle
from pathlib import Path

import numpy as np
import pytest

from flame.data.splits import load_split
from flame.data.statistics import Statistics, gaze_convention_of, load_statistics
from flame.readers.metadata import write_ranges, write_split

RANGES = {"gaze_min": -0.25, "gaze_max": 0.5, "head_pose_min": -1.0, "head_pose_max": 0.75}


def dump(path: Path, content: object) -> Path:
    path.write_bytes(pickle.dumps(content, protocol=4))
    return path


@pytest.mark.parametrize("name", ["columbiagaze_cross_person", "eyediap_random"])
def test_an_originals_split_has_the_names_of_the_published_one(tmp_path: Path, name: str) -> None:
    ours = load_split(name)
    path = tmp_path / f"data_split_{name}.pkl"
    parts = {"train": ours.train[::-1], "test": ours.test, "cv": ours.val}
    dump(path, {part: list(names) for part, names in parts.items()})
    split = load_split(path)
    assert (split.train, split.val, split.test) == (ours.train, ours.val, ours.test)
    assert (split.name, split.unit) == (path.stem, "session")


def test_a_written_split_is_of_the_originals_form(tmp_path: Path) -> None:
    path = tmp_path / "metadata" / "x.pkl"
    write_split(path, {"train": ["a", "b"], "val": ["c"], "test": ("d",)})
    content = pickle.loads(path.read_bytes())
    assert content == {"train": ["a", "b"], "test": ["d"], "cv": ["c"]}
    assert list(content) == ["train", "test", "cv"]
    assert path.read_bytes()[:2] == b"\x80\x04"
    assert [file.name for file in path.parent.iterdir()] == ["x.pkl"]


def test_written_ranges_are_of_the_originals_form(tmp_path: Path) -> None:
    path = tmp_path / "data_vals_max_min_x.pkl"
    landmarks = np.linspace(7, 400, 224).reshape(2, 112)
    write_ranges(path, RANGES, landmarks)
    content = pickle.loads(path.read_bytes())
    points = {"max": 400.0, "min": 7.0}
    assert content == {
        "gaze": {"max": 0.5, "min": -0.25},
        "hp": {"max": 0.75, "min": -1.0},
        "fl": points,
        "fl_2d": points,
    }
    assert {type(value) for ends in content.values() for value in ends.values()} == {np.float64}
    assert load_statistics(path) == Statistics(**RANGES)
    assert gaze_convention_of(path) == "flame_layout"


@pytest.mark.parametrize(
    "content",
    [
        {"train": ["a"], "test": ["b"]},
        {"train": "a", "test": "b", "cv": "c"},
        ["a", "b", "c"],
        {"train": [print], "test": [], "cv": []},
    ],
)
def test_what_is_no_split_is_refused_by_its_file(tmp_path: Path, content: object) -> None:
    with pytest.raises(ValueError, match=r"x\.pkl"):
        load_split(dump(tmp_path / "x.pkl", content))


def test_names_in_two_parts_are_refused(tmp_path: Path) -> None:
    path = dump(tmp_path / "x.pkl", {"train": ["a"], "test": ["a"], "cv": []})
    with pytest.raises(ValueError, match=r"x\.pkl: .*: a$"):
        load_split(path)


@pytest.mark.parametrize(
    "content", [{"mean": np.zeros(3), "std": np.ones(3)}, [0.1], {"gaze": 1.0}, {"gaze": "wide"}]
)
def test_what_holds_no_ranges_is_refused_by_its_file(tmp_path: Path, content: object) -> None:
    with pytest.raises(ValueError, match=r"x\.pkl"):
        load_statistics(dump(tmp_path / "x.pkl", content))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    for load in (load_split, load_statistics):
        with pytest.raises(ValueError, match=r" x\.pkl"):
            load("x.pkl")
