"""The face store: what goes in comes out, and nothing half-written is ever seen."""

from __future__ import annotations

import multiprocessing
import pickle
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from common import facestore
from common.facestore import (
    FaceStore,
    Packs,
    damaged_groups,
    read_failures,
    read_recipe,
    read_skipped,
    stored_groups,
)
from common.facestore_writing import (
    GroupWriter,
    claim_store,
    remove_group,
    write_failure,
    write_skipped,
)
from common.image_codec import decode_image, encode_image


def image(seed: int, height: int = 40, width: int = 30) -> np.ndarray:
    """A smooth image: JPEG is no good at noise."""
    generator = np.random.default_rng(seed)
    corners = generator.uniform(0, 255, (2, 2, 3))
    y, x = np.linspace(0, 1, height)[:, None, None], np.linspace(0, 1, width)[None, :, None]
    rows = corners[0, 0] * (1 - y) + corners[1, 0] * y, corners[0, 1] * (1 - y) + corners[1, 1] * y
    return np.rint(rows[0] * (1 - x) + rows[1] * x).astype(np.uint8)


def write_group(store_dir: Path, group: str, seeds: list[int]) -> None:
    with GroupWriter(store_dir, group) as writer:
        for seed in seeds:
            writer.add(encode_image(image(seed), "png", 0), {"seed": seed})


@pytest.fixture
def store_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "store"
    write_group(folder, "b", [3, 4, 5])
    write_group(folder, "a.1", [1, 2])
    return folder


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_png_comes_back_exactly_and_jpeg_nearly() -> None:
    original = image(0)
    np.testing.assert_array_equal(decode_image(encode_image(original, "png", 0)), original)
    errors = [
        np.abs(decode_image(encode_image(original, "jpeg", quality)).astype(int) - original)
        for quality in (95, 30)
    ]
    # JPEG keeps colour at half the resolution, and this image's changes fast.
    assert errors[0].max() <= 16
    assert errors[0].mean() < 2 < errors[1].mean()


def test_the_channels_keep_their_order() -> None:
    red = np.zeros((8, 8, 3), np.uint8)
    red[..., 0] = 200
    for codec in ("png", "jpeg"):
        np.testing.assert_allclose(decode_image(encode_image(red, codec, 95)), red, atol=3)


def test_an_unknown_codec_is_refused() -> None:
    with pytest.raises(ValueError, match=r"codec is 'webp', expected one of \('jpeg', 'png'\)"):
        encode_image(image(0), "webp", 90)


def test_rows_come_in_the_order_of_group_names_with_their_images(store_dir: Path) -> None:
    store = FaceStore(store_dir)
    assert store.table["group_name"].to_list() == ["a.1", "a.1", "b", "b", "b"]
    assert store.table["seed"].to_list() == [1, 2, 3, 4, 5]
    for row in (4, 0, 2, 1, 3):
        np.testing.assert_array_equal(store.image(row), image(row + 1))
    assert len(store) == 5


def test_nothing_is_visible_after_an_error(store_dir: Path) -> None:
    before = files(store_dir)

    def cut_short() -> None:
        with GroupWriter(store_dir, "c") as writer:
            writer.add(encode_image(image(6), "png", 0), {"seed": 6})
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        cut_short()
    assert files(store_dir) == before
    assert stored_groups(store_dir) == ["a.1", "b"]


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


def test_a_damaged_byte_is_named_and_found(store_dir: Path) -> None:
    pack = store_dir / "packs" / "b.pack"
    content = bytearray(pack.read_bytes())
    content[-20] ^= 1
    pack.write_bytes(content)
    store = FaceStore(store_dir)
    np.testing.assert_array_equal(store.image(3), image(4))
    with pytest.raises(ValueError, match=r"b\.pack: row 4 .* is damaged.*mode=check"):
        store.image(4)
    assert damaged_groups(store_dir) == ["b"]


def test_a_truncated_or_missing_pack_is_found(store_dir: Path) -> None:
    pack = store_dir / "packs" / "a.1.pack"
    pack.write_bytes(pack.read_bytes()[:-1])
    (store_dir / "packs" / "b.pack").unlink()
    assert damaged_groups(store_dir) == ["a.1", "b"]
    with pytest.raises(ValueError, match="damaged"):
        FaceStore(store_dir).image(1)


def test_a_missing_pack_is_a_users_error(store_dir: Path) -> None:
    (store_dir / "packs" / "b.pack").unlink()
    with pytest.raises(ValueError, match=r"b\.pack.*mode=check"):
        FaceStore(store_dir).image(4)


def test_a_damaged_table_is_found(store_dir: Path) -> None:
    table = store_dir / "tables" / "b.parquet"
    table.write_bytes(table.read_bytes()[:40])
    assert damaged_groups(store_dir) == ["b"]
    with pytest.raises(ValueError, match=r"b\.parquet.*mode=check"):
        FaceStore(store_dir)


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


def test_a_removed_group_is_made_again_the_others_stay(store_dir: Path) -> None:
    write_skipped(store_dir, "b", [{"sample_id": "x", "reason": "no face found"}])
    remove_group(store_dir, "b")
    assert stored_groups(store_dir) == ["a.1"]
    assert read_skipped(store_dir) == []
    assert FaceStore(store_dir).table["seed"].to_list() == [1, 2]


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
    with pytest.raises(ValueError, match=r"quality: 95 there, 80 now.*data\.store_dir="):
        claim_store(store_dir, {"data": "eyediap", "quality": 80})
    with pytest.raises(ValueError, match="margin: None there, 1 now"):
        claim_store(store_dir, {"data": "eyediap", "quality": 95, "margin": 1})


def test_a_folder_without_a_store_says_what_to_type(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no face store in .*preprocess\.py"):
        FaceStore(tmp_path)
    write_group(tmp_path, "empty", [])
    with pytest.raises(ValueError, match="no usable face; see its skipped"):
        FaceStore(tmp_path)


def written_places(store_dir: Path, group: str) -> list[tuple[int, int, int]]:
    table = FaceStore(store_dir).table
    rows = table.filter(table["group_name"] == group)
    return list(rows.select("offset", "num_bytes", "crc32").iter_rows())


@pytest.mark.parametrize("longest", [1, 1 << 20])
def test_images_that_lie_together_come_in_the_order_asked_for(
    store_dir: Path, monkeypatch: pytest.MonkeyPatch, longest: int
) -> None:
    monkeypatch.setattr(facestore, "_LONGEST_READ_BYTES", longest)
    places = written_places(store_dir, "b")
    packs = Packs([store_dir / "packs" / "a.1.pack", store_dir / "packs" / "b.pack"])
    for order in ([2, 0, 1], [1], [0, 2], [1, 1], []):
        found = packs.read(1, [places[i] for i in order])
        for data, i in zip(found, order, strict=True):
            assert data is not None
            np.testing.assert_array_equal(decode_image(data), image(3 + i))


def test_only_the_damaged_image_of_a_read_is_missing(store_dir: Path) -> None:
    places = written_places(store_dir, "b")
    pack = store_dir / "packs" / "b.pack"
    content = bytearray(pack.read_bytes())
    content[places[1][0] + 30] ^= 1
    pack.write_bytes(content[:-1])
    assert [data is None for data in Packs([pack]).read(0, places)] == [False, True, True]


def test_more_packs_than_may_be_open_are_all_read(
    store_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(facestore, "_MOST_OPEN_PACKS", 1)
    store = FaceStore(store_dir)
    for row in (0, 4, 1, 3, 2):
        np.testing.assert_array_equal(store.image(row), image(row + 1))
    assert len(store._packs._descriptors) == 1
