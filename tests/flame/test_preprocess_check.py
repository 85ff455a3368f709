"""The check of a store: what is damaged is made again, and nothing else is touched."""

from __future__ import annotations

from pathlib import Path

import pytest
from preprocessed_people import PEOPLE, assert_same, damage, made_at, preprocessor

from common.facestore import damaged_groups, stored_groups


def test_check_makes_a_damaged_pack_again_and_nothing_else(tmp_path: Path) -> None:
    preprocessor(tmp_path / "whole").run()
    preprocessor(tmp_path / "store").run()
    before = made_at(tmp_path / "store")
    damage(tmp_path / "store", "p5")
    report = preprocessor(tmp_path / "store").check()
    assert damaged_groups(tmp_path / "store") == []
    assert report.num_faces == 7
    assert_same(tmp_path / "store", tmp_path / "whole")
    after = made_at(tmp_path / "store")
    assert [name for name in before if after[name] != before[name]] == ["p5"]


def test_check_makes_a_damaged_table_again(tmp_path: Path) -> None:
    preprocessor(tmp_path).run()
    (tmp_path / "tables" / "p1.parquet").write_bytes(b"torn")
    assert preprocessor(tmp_path).check().num_faces == 7


def test_a_run_does_not_pass_over_a_damaged_table(tmp_path: Path) -> None:
    preprocessor(tmp_path).run()
    (tmp_path / "tables" / "p1.parquet").write_bytes(b"torn")
    with pytest.raises(ValueError, match=r"p1\.parquet is damaged.*mode=check"):
        preprocessor(tmp_path).run()


def test_check_of_a_shard_touches_its_own_groups_alone(tmp_path: Path) -> None:
    preprocessor(tmp_path).run()
    damage(tmp_path, "p1")
    damage(tmp_path, "p2")
    preprocessor(tmp_path, shard="0/2").check()
    assert stored_groups(tmp_path) == sorted(PEOPLE)
    assert damaged_groups(tmp_path) == ["p2"]


def test_check_with_other_settings_removes_nothing(tmp_path: Path) -> None:
    preprocessor(tmp_path).run()
    damage(tmp_path, "p1")
    with pytest.raises(ValueError, match=r"made with other settings \(box_margin: 0.05 there, 0.2"):
        preprocessor(tmp_path, box_margin=0.2).check()
    assert stored_groups(tmp_path) == sorted(PEOPLE)
