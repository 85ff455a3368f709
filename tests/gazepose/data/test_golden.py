"""The data module against the original's own records of a small Ego4D tree."""

import random
from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from builders.golden_ego4d import (
    challenge_files,
    exact_frame,
    expected,
    is_misled,
    unpack,
    write_golden_store,
)

from gazepose.data.dataset import ClipDataset, ClipRecipe
from gazepose.data.face_view import FaceView
from gazepose.data.temporal_dropout import Mode, TemporalDropout
from gazepose.data.windows import class_weights, keyframes
from gazepose.preprocessing.preparation import PreparationSettings
from gazepose.preprocessing.preprocessor import LamPreprocessor
from gazepose.priors import num_head_bins
from gazepose.readers.face_imgs.reader import FaceImgsReader
from gazepose.store.reading import PARTS, LamPart
from gazepose.store.table import LamTable

GOLDEN = expected()
CONFIGS = GOLDEN["configs"]
BLACK = np.zeros((224, 224, 3), np.uint8)

Item = dict[str, Any]
Tables = dict[LamPart, LamTable]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unpack(tmp_path_factory.mktemp("golden"))


@pytest.fixture(scope="module", params=["facts", "reader"])
def tables(tree: Path, request: pytest.FixtureRequest) -> Tables:
    """The table of each part, of a store by the facts' rules and of preprocessing's stores."""
    folder = tree / request.param
    if request.param == "facts":
        write_golden_store(tree, folder)
        return dict.fromkeys(PARTS, LamTable.read(folder, head_pose=True, landmarks=True))
    return {part: preprocessed(tree, folder / part, part) for part in PARTS}


def preprocessed(tree: Path, store_dir: Path, part: str) -> LamTable:
    # Train and val of the tree share their clips, which one store refuses.
    reader = FaceImgsReader(tree, parts=[part])
    priors = PreparationSettings(landmarks="prior", head_pose="prior")
    LamPreprocessor("golden", reader, store_dir, priors, num_workers=0).run()
    return LamTable.read(store_dir, head_pose=True, landmarks=True)


@pytest.fixture
def _python_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clip's random numbers are those of the original: Python's, seeded for each item."""

    class PythonDraws:
        def __init__(self, seed: int) -> None:
            self._random = random.Random(seed)

        def random(self, num: int) -> np.ndarray:
            return np.array([self._random.random() for _ in range(num)])

    monkeypatch.setattr(np.random, "default_rng", PythonDraws)


def recipe(flags: list[str], split: float = 1.0) -> ClipRecipe:
    return ClipRecipe(
        dropout=TemporalDropout("gaussian" if "--Gaussiandrop" in flags else "none"),
        split_deg=split,
        use_landmarks="--mesh" in flags,
        mirror_priors=False,
        flip=True,
        random_crop=False,
        view=FaceView(),
    )


def middles(table: LamTable, config: Item) -> np.ndarray:
    use_filter = config["mode"] == "train" and "--Gaussiandrop" in config["flags"]
    return keyframes(table, config["mode"], config["stride"], use_filter)


def by_track(table: LamTable, rows: np.ndarray) -> dict[str, list[int]]:
    """Rows of each track, in order; track names of the tree are unique."""
    tracks = defaultdict(list)
    for row, track in zip(rows.tolist(), table.select(rows, ["track_id"])["track_id"], strict=True):
        tracks[track].append(row)
    return dict(tracks)


def split_of(name: str) -> float:
    return float(name.split("split")[1]) if "split" in name else 1.0


def check_items(
    table: LamTable, tree: Path, name: str, mode: Mode, items: list[Item], rows: np.ndarray
) -> None:
    """Every recorded item of a loader equals the clip made of the same row."""
    flags, split = CONFIGS[name]["flags"], split_of(name)
    dataset = ClipDataset(table, recipe(flags, split), mode)
    remaining = by_track(table, rows)
    for item in items:
        row = remaining[item["track"]].pop(0)
        assert int(table.frame[row]) == item["frame"]
        assert int(table.label[row]) == item["label"]
        check_item(dataset[row, item.get("seed", 0)], item, tree, split)
    assert not any(remaining.values())


def check_item(sample: Item, item: Item, tree: Path, split: float) -> None:
    for shown, frame in zip(sample["clip"].numpy(), item["frames"], strict=True):
        image = face_image(tree, item["track"], frame, item.get("flip", False))
        np.testing.assert_array_equal(shown, image)
    if "angle" in item:
        # The original's index may lie outside its table, and then crashes.
        bins = np.minimum(item["angle"], num_head_bins(split) - 1)
        np.testing.assert_array_equal(sample["head_bins"], bins)
    if "head2D" in item and "landmarks" in sample:
        np.testing.assert_allclose(sample["landmarks"], item["head2D"], atol=1e-7)


@cache
def face_image(tree: Path, track: str, frame: int | None, is_flipped: bool) -> np.ndarray:
    if frame is None:
        return BLACK
    (path,) = (tree / "data" / "face_imgs").glob(f"*/{track}/face_{frame:05d}.jpg")
    return decoded(path)[:, ::-1] if is_flipped else decoded(path)


@cache
def decoded(path: Path) -> np.ndarray:
    return cv2.imread(str(path))[..., ::-1].copy()


@pytest.mark.parametrize("name", CONFIGS)
def test_keyframes_labels_and_weights(tables: Tables, name: str) -> None:
    config = CONFIGS[name]
    table = tables[config["mode"]]
    rows = middles(table, config)
    assert len(table.rows_of_part(config["mode"])) == config["n_images"]
    assert len(rows) == config["n_key"]
    found = table.select(rows, ["track_id", "frame"]).rows()
    assert sorted(found) == sorted(map(tuple, config["key_track_frame"]))
    label_of = dict(zip(found, table.label[rows].tolist(), strict=True))
    wanted = zip(config["key_track_frame"], config["labels"], strict=True)
    assert label_of == {tuple(key): label for key, label in wanted}
    assert (table.label[rows] == 1).sum() == config["lam"]
    weights = config["class_weights_[nlam,lam]"]
    np.testing.assert_allclose(class_weights(table.label[rows]), weights, atol=1e-7)


@pytest.mark.parametrize("name", ["train_s3_gauss", "train_s1_gauss"])
def test_what_the_filter_drops(tables: Tables, name: str) -> None:
    config, table = CONFIGS[name], tables["train"]
    rows = table.rows_of_part("train")
    dropped = rows[(table.track_index[rows] % config["stride"] == 0) & table.is_filtered[rows]]
    found = table.select(dropped, ["track_id", "frame"]).rows()
    assert found == [tuple(key) for key in config["filter_track_frame"]]


@pytest.mark.parametrize("name", [name for name in CONFIGS if name.startswith("val")])
def test_validation_clips(tables: Tables, tree: Path, name: str) -> None:
    config, table = CONFIGS[name], tables["val"]
    check_items(table, tree, name, "val", config["items"], middles(table, config))


@pytest.mark.usefixtures("_python_draws")
@pytest.mark.parametrize("name", [name for name in CONFIGS if name.startswith("train")])
def test_training_clips_of_given_random_numbers(tables: Tables, tree: Path, name: str) -> None:
    config, table = CONFIGS[name], tables["train"]
    for items in config["seeded"]:
        check_items(table, tree, name, "train", items, middles(table, config))


# Clips of the test set


def test_keyframes_of_the_test_set(tables: Tables) -> None:
    table = tables["test"]
    for name in ("plain", "gauss", "plain_stride4", "nomesh"):
        config = GOLDEN["test"][name]
        rows = keyframes(table, "test", config["stride"], use_filter=False)
        assert len(rows) == len(config["kframes"])
    assert len(rows) == GOLDEN["test"]["plain"]["n_images"] == 46


def is_shown(sample: Item, item: Item, tree: Path) -> bool:
    """Whether a clip shows the frames that the original shows."""
    files = challenge_files(tree, item["track"])
    frames = (None if frame is None else exact_frame(files, int(frame)) for frame in item["frames"])
    images = [BLACK if path is None else decoded(path) for path in frames]
    return np.array_equal(sample["clip"], images)


@pytest.mark.parametrize("name", ["plain", "gauss", "plain_stride4", "nomesh"])
def test_clips_of_the_test_set(tables: Tables, tree: Path, name: str) -> None:
    """All clips but those for which the original finds another frame than it looks for."""
    config, table = GOLDEN["test"][name], tables["test"]
    dataset = ClipDataset(table, recipe(config["flags"]), "test")
    names = table.select(np.arange(len(table)), ["part", "track_id", "unique_id", "frame"]).rows()
    row_of = {key: row for row, key in enumerate(names)}
    num_misled = 0
    for item in config["items"]:
        frame = int(item["frame_id"])
        sample = dataset[row_of["test", item["track"], item["unique_id"], frame], 0]
        assert is_shown(sample, item, tree) is not is_misled(tree, item)
        num_misled += is_misled(tree, item)
        if "angle" in item:
            np.testing.assert_array_equal(sample["head_bins"], np.minimum(item["angle"], 90))
        if "head2D" in item and "landmarks" in sample:
            np.testing.assert_allclose(sample["landmarks"], item["head2D"], atol=1e-7)
    # Of 46 clips: unique ids with digits, frame numbers of six digits and frame -1 mislead it.
    assert num_misled == {"plain": 18, "gauss": 18, "plain_stride4": 6, "nomesh": 2}[name]
