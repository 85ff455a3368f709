"""The face store written: nothing half-written is seen, a group made again replaces the old."""

from pathlib import Path

import numpy as np
import pytest
from builders.seeded_store import image, write_group

from common.media.image_codec import encode_image
from common.store.damage import damaged_groups
from common.store.reading import (
    FaceStore,
    read_failures,
    read_recipe,
    read_skipped,
    stored_groups,
)
from common.store.writing import (
    GroupWriter,
    claim_store,
    write_failure,
    write_skipped,
)


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_nothing_is_visible_before_the_block_ends(store_dir: Path) -> None:
    with GroupWriter(store_dir, "c") as writer:
        writer.add(encode_image(image(6), "png", 0), {"seed": 6})
        assert stored_groups(store_dir) == ["a.1", "b"]
        assert len(FaceStore(store_dir)) == 5
    assert stored_groups(store_dir) == ["a.1", "b", "c"]


def test_a_group_made_again_replaces_the_old_one(store_dir: Path) -> None:
    write_group(store_dir, "b", [9])
    store = FaceStore(store_dir)
    assert store.table["seed"].to_list() == [1, 2, 9]
    np.testing.assert_array_equal(store.image(2), image(9))
    assert damaged_groups(store_dir) == []


def test_a_group_without_a_row_is_done_and_whole(store_dir: Path) -> None:
    write_group(store_dir, "empty", [])
    assert "empty" in stored_groups(store_dir)
    assert damaged_groups(store_dir) == []
    assert len(FaceStore(store_dir)) == 5


def test_a_value_missing_in_one_group_does_not_hinder_another(store_dir: Path) -> None:
    with GroupWriter(store_dir, "c") as writer:
        writer.add(encode_image(image(6), "png", 0), {"seed": 6, "frame": None})
    with GroupWriter(store_dir, "d") as writer:
        writer.add(encode_image(image(7), "png", 0), {"seed": 7, "frame": 12})
    assert FaceStore(store_dir).table["frame"].to_list() == [None] * 6 + [12]


def test_skipped_items_of_all_groups_come_together(store_dir: Path) -> None:
    write_skipped(store_dir, "b", [{"sample_id": "x", "reason": "no face found"}])
    write_skipped(store_dir, "a.1", [{"sample_id": "y", "reason": "unreadable"}])
    assert [item["sample_id"] for item in read_skipped(store_dir)] == ["y", "x"]


def test_a_failure_is_remembered_until_the_group_is_made(store_dir: Path) -> None:
    write_failure(store_dir, "c", "no calibration")
    write_failure(store_dir, "d.2", "disk full\nof photos")
    assert read_failures(store_dir) == {"c": "no calibration", "d.2": "disk full\nof photos"}
    write_group(store_dir, "d.2", [6])
    assert read_failures(store_dir) == {"c": "no calibration"}
    assert "d.2.txt" not in files(store_dir)


def test_the_same_recipe_may_go_on(store_dir: Path) -> None:
    recipe = {"data": "columbiagaze", "sizes": (1, 2), "quality": 95}
    claim_store(store_dir, recipe)
    claim_store(store_dir, recipe)
    assert read_recipe(store_dir) == {"data": "columbiagaze", "sizes": [1, 2], "quality": 95}


def test_another_recipe_is_refused_with_both_values(store_dir: Path) -> None:
    claim_store(store_dir, {"data": "eyediap", "quality": 95})
    with pytest.raises(ValueError, match=r"quality: 95.*80.*data\.store_dir="):
        claim_store(store_dir, {"data": "eyediap", "quality": 80})
    with pytest.raises(ValueError, match=r"margin: None.*1"):
        claim_store(store_dir, {"data": "eyediap", "quality": 95, "margin": 1})
