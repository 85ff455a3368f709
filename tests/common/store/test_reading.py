"""The face store read: rows with their images in order, in other processes, several at once."""

import multiprocessing
import pickle
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from builders.seeded_store import image, write_group, written_places

from common.media.image_codec import decode_image
from common.store import packs
from common.store.packs import Packs
from common.store.reading import FaceStore


def test_rows_come_in_the_order_of_group_names_with_their_images(store_dir: Path) -> None:
    store = FaceStore(store_dir)
    assert store.table["group_name"].to_list() == ["a.1", "a.1", "b", "b", "b"]
    assert store.table["seed"].to_list() == [1, 2, 3, 4, 5]
    for row in (4, 0, 2, 1, 3):
        np.testing.assert_array_equal(store.image(row), image(row + 1))
    assert len(store) == 5


def test_a_pickled_store_reads_the_same_in_a_spawned_process(store_dir: Path) -> None:
    store = FaceStore(store_dir)
    # An open descriptor must not travel.
    store.image(0)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        found = pool.submit(store.image, 3).result()
    np.testing.assert_array_equal(found, image(4))


def test_a_pickled_store_is_small(store_dir: Path) -> None:
    # 24 bytes of place and 4 of pack a row, and the paths; no table.
    assert len(pickle.dumps(FaceStore(store_dir))) < 2000


def test_a_folder_without_a_store_says_what_to_type(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=rf"{tmp_path}.*preprocess\.py"):
        FaceStore(tmp_path)
    write_group(tmp_path, "empty", [])
    with pytest.raises(ValueError, match=rf"{tmp_path}.*skipped/"):
        FaceStore(tmp_path)


@pytest.mark.parametrize("longest", [1, 1 << 20])
def test_images_that_lie_together_come_in_the_order_asked_for(
    store_dir: Path, monkeypatch: pytest.MonkeyPatch, longest: int
) -> None:
    monkeypatch.setattr(packs, "_LONGEST_READ_BYTES", longest)
    places = written_places(store_dir, "b")
    found_packs = Packs([store_dir / "packs" / "a.1.pack", store_dir / "packs" / "b.pack"])
    for order in ([2, 0, 1], [1], [0, 2], [1, 1], []):
        found = found_packs.read(1, [places[i] for i in order])
        for data, i in zip(found, order, strict=True):
            assert data is not None
            np.testing.assert_array_equal(decode_image(data), image(3 + i))


def test_more_packs_than_may_be_open_are_all_read(
    store_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packs, "_MOST_OPEN_PACKS", 1)
    store = FaceStore(store_dir)
    for row in (0, 4, 1, 3, 2):
        np.testing.assert_array_equal(store.image(row), image(row + 1))
    assert len(store._packs._descriptors) == 1
