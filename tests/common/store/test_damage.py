"""A damaged face store: what is torn is named and found, what is whole is read."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from builders.file_contents import halve
from builders.seeded_store import image, written_places

from common.store.damage import damaged_groups
from common.store.packs import Packs
from common.store.reading import FaceStore, missing_groups, read_recipe, read_skipped
from common.store.writing import claim_store, write_skipped


def test_a_damaged_byte_is_named_and_found(store_dir: Path) -> None:
    pack = store_dir / "packs" / "b.pack"
    content = bytearray(pack.read_bytes())
    content[-20] ^= 1
    pack.write_bytes(content)
    store = FaceStore(store_dir)
    np.testing.assert_array_equal(store.image(3), image(4))
    with pytest.raises(ValueError, match=r"b\.pack: row 4 .*mode=repair"):
        store.image(4)
    assert damaged_groups(store_dir) == ["b"]


def test_a_truncated_or_missing_pack_is_found(store_dir: Path) -> None:
    pack = store_dir / "packs" / "a.1.pack"
    pack.write_bytes(pack.read_bytes()[:-1])
    (store_dir / "packs" / "b.pack").unlink()
    assert damaged_groups(store_dir) == ["a.1", "b"]
    with pytest.raises(ValueError, match=r"a\.1\.pack: row 1"):
        FaceStore(store_dir).image(1)


def test_a_missing_pack_is_a_users_error(store_dir: Path) -> None:
    (store_dir / "packs" / "b.pack").unlink()
    with pytest.raises(ValueError, match=r"b\.pack.*mode=repair"):
        FaceStore(store_dir).image(4)


def test_a_damaged_table_is_found(store_dir: Path) -> None:
    halve(store_dir / "tables" / "b.parquet")
    assert damaged_groups(store_dir) == ["b"]
    with pytest.raises(ValueError, match=r"b\.parquet.*mode=repair"):
        FaceStore(store_dir)


def test_a_table_without_checksum_is_damaged(store_dir: Path) -> None:
    path = store_dir / "tables" / "b.parquet"
    pl.read_parquet(path).drop("pack_sha256").write_parquet(path)
    assert damaged_groups(store_dir) == ["b"]


def test_only_the_damaged_image_of_a_read_is_missing(store_dir: Path) -> None:
    places = written_places(store_dir, "b")
    pack = store_dir / "packs" / "b.pack"
    content = bytearray(pack.read_bytes())
    content[places[1][0] + 30] ^= 1
    pack.write_bytes(content[:-1])
    assert [data is None for data in Packs([pack]).read(0, places)] == [False, True, True]


def test_half_a_recipe_is_named_with_what_to_do(store_dir: Path) -> None:
    claim_store(store_dir, {"data": "eyediap", "quality": 95})
    halve(store_dir / "store.json")
    with pytest.raises(ValueError, match=r"store\.json"):
        read_recipe(store_dir)
    with pytest.raises(ValueError, match=r"store\.json"):
        claim_store(store_dir, {"data": "eyediap", "quality": 95})


def test_half_a_list_of_skipped_items_is_named_and_its_group_damaged(store_dir: Path) -> None:
    write_skipped(store_dir, "b", [{"sample_id": "x", "reason": "no face found"}])
    halve(store_dir / "skipped" / "b.json")
    with pytest.raises(ValueError, match=r"skipped/b\.json.*mode=repair"):
        read_skipped(store_dir)
    assert damaged_groups(store_dir) == ["b"]


def test_only_the_groups_asked_for_are_looked_at(store_dir: Path) -> None:
    for group in ("a.1", "b"):
        halve(store_dir / "packs" / f"{group}.pack")
    assert damaged_groups(store_dir, ["b", "never made"]) == ["b"]
    assert damaged_groups(store_dir, []) == []


@pytest.mark.parametrize(
    ("file", "content", "read"),
    [
        *(("store.json", text, read_recipe) for text in ("[null]", "[[]]", "3", "[" * 100_000)),
        *(
            ("groups.json", text, missing_groups)
            for text in ('["z', '["a", [[]], null]', '{"a": 1}')
        ),
        *(("skipped/b.json", text, read_skipped) for text in ("[3]", "{}", '[{"reason": []}]')),
    ],
)
def test_json_of_another_form_is_named(store_dir: Path, file: str, content: str, read: Any) -> None:
    path = store_dir / file
    path.parent.mkdir(exist_ok=True)
    path.write_text(content)
    with pytest.raises(ValueError, match=path.name):
        read(store_dir)


@pytest.mark.parametrize(
    "changes",
    [
        {"offset": -1},
        {"num_bytes": 1 << 40},
        {"offset": None},
        {"crc32": "x"},
    ],
)
def test_a_table_that_says_no_places_is_damaged(store_dir: Path, changes: dict[str, Any]) -> None:
    path = store_dir / "tables" / "b.parquet"
    table = pl.read_parquet(path)
    columns = {name: pl.Series(name, [value] * table.height) for name, value in changes.items()}
    table.with_columns(**columns).write_parquet(path)
    assert damaged_groups(store_dir) == ["b"]
    with pytest.raises(ValueError, match=r"b\.parquet"):
        FaceStore(store_dir)
