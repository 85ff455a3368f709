"""Folds of labelled photos: every face is tested once, by a training that saw nothing of it."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builders.small_lam import finish_store, small_row, write_clip, write_small_lam
from builders.small_lam_data import SIZE, module

from gazepose.data.datamodule import LamDataModule

NUM_FOLDS = 5
PARTS = ("train", "val", "test")
# Of these everybody is known; Ann and Bob share the last.
NAMED = {"x/ann1.jpg": ["ann"], "x/bob1.jpg": ["bob"], "x/both.jpg": ["ann", "bob"]}


def write_photos(folder: Path, num: int) -> Path:
    """Write photos of two unknown faces each, and those of Ann and Bob; all of one part."""
    generator, people = np.random.default_rng(0), {f"a/{n:03d}.jpg": ["", ""] for n in range(num)}
    rows = [
        small_row(generator, "train", f"{photo}:{number}", 0, 0, photo=photo, person_id=person)
        for photo, persons in (people | NAMED).items()
        for number, person in enumerate(persons)
    ]
    for row in rows:
        row["image"] = np.full((SIZE, SIZE, 3), 99, np.uint8)
    write_clip(folder, "photos-00", rows, SIZE)
    finish_store(folder)
    return folder


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_photos(tmp_path_factory.mktemp("photos"), 60)


def in_fold(store: Path, fold: int, **more: Any) -> LamDataModule:
    settings = {"num_folds": NUM_FOLDS, "fold": fold, "test_part": "test", "train_stride": 1}
    return module(store, **(settings | more))


def photos_of(data: LamDataModule, part: Any) -> list[str]:
    rows = data.table.rows_of_part(part)
    return data.table.select(rows, ["photo"])["photo"].to_list()


def test_every_face_is_tested_once_and_no_photo_is_in_two_parts(photos: Path) -> None:
    folds = [in_fold(photos, fold) for fold in range(NUM_FOLDS)]
    tested = [photo for data in folds for photo in photos_of(data, "test")]
    assert set(Counter(tested).values()) == {1, 2}
    assert len(tested) == len(folds[0].table)
    for data, after in zip(folds, [*folds[1:], folds[0]], strict=True):
        parts = [set(photos_of(data, part)) for part in PARTS]
        assert len(set.union(*parts)) == sum(map(len, parts))
        assert set(photos_of(data, "val")) == set(photos_of(after, "test"))
        assert len(parts[0]) > max(len(parts[1]), len(parts[2]))


def test_who_is_known_stays_together_over_a_shared_photo(photos: Path) -> None:
    tested = [set(photos_of(in_fold(photos, fold), "test")) for fold in range(NUM_FOLDS)]
    assert [set(NAMED) <= one for one in tested].count(True) == 1


def test_photos_that_are_added_move_no_other(photos: Path, tmp_path: Path) -> None:
    before = set(photos_of(in_fold(photos, 2), "test"))
    after = set(photos_of(in_fold(write_photos(tmp_path, 90), 2), "test"))
    assert before < after
    assert all(photo >= "a/060.jpg" for photo in after - before)


def test_folds_are_one_division_of_the_same_data_and_told_apart(photos: Path) -> None:
    first, second = (in_fold(photos, fold).fingerprint() for fold in (0, 1))
    for key in ("split", "table_sha256", "recipe"):
        assert first[key] == second[key]
    assert first["fold"] == {"number": 0, "of": NUM_FOLDS}
    assert first["split_source"] != second["split_source"]
    assert "fold" not in module(photos).fingerprint()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"num_folds": 2}, "num_folds is 2, expected at least 3"),
        ({"num_folds": None}, "num_folds is None"),
        ({"fold": 5}, "fold is 5, expected 0 to 4"),
        ({"fold": None}, "fold is None"),
    ],
)
def test_folds_that_are_none_are_refused(photos: Path, settings: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        module(photos, **({"num_folds": NUM_FOLDS, "fold": 0} | settings))


def test_clips_are_in_no_folds(tmp_path: Path) -> None:
    write_small_lam(tmp_path, size=SIZE)
    with pytest.raises(ValueError, match=r"holds clips.*num_folds"):
        in_fold(tmp_path, 0)
