"""A damaged store of people: a check tells of it, a repair makes it whole, nothing is lost."""

from dataclasses import replace
from pathlib import Path

import pytest
from builders.fake_faces import FakeReader
from builders.preprocessed_people import PEOPLE, assert_same, content, damage, made_at, preprocessor

from common.preprocessing.check import check_store
from common.preprocessing.findings import Finding
from common.store.damage import damaged_groups
from common.store.reading import missing_groups

GONE = {person: [OSError("no photos")] for person in PEOPLE}


def test_a_check_changes_nothing_and_says_what_to_type(tmp_path: Path) -> None:
    preprocessor(tmp_path).run()
    damage(tmp_path, "p5")
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    report = preprocessor(tmp_path).check()
    assert report.has_errors
    assert "1 group damaged: p5" in report.summary()
    assert "mode=repair" in report.summary()
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_a_check_of_a_sound_store_has_no_error(tmp_path: Path) -> None:
    preprocessor(tmp_path, shard="0/2").run()
    report = preprocessor(tmp_path).check()
    assert (report.missing, report.has_errors) == (["p2", "p4"], False)
    assert "2 groups to make: p2, p4" in report.summary()


def test_what_the_raw_data_s_findings_say_is_not_said_again(tmp_path: Path) -> None:
    class NoFolder(FakeReader):
        def groups(self) -> list[str]:
            raise ValueError("no folder x")

    recipe = replace(preprocessor(tmp_path).recipe, reader=NoFolder({}))
    report = check_store(recipe, (0, 1), [Finding("error", "no folder x", "x")])
    assert [found.where for found in report.findings if found.severity == "error"] == ["x"]
    assert report.has_errors
    (error, _) = sorted(check_store(recipe, (0, 1)).findings, key=lambda found: found.severity)
    assert error.what == "no folder x"


def test_a_check_makes_no_store(tmp_path: Path) -> None:
    report = preprocessor(tmp_path / "store").check()
    assert (report.missing, report.has_errors) == (sorted(PEOPLE), False)
    assert "no store yet" in report.summary()
    assert not (tmp_path / "store").exists()


def test_a_check_with_other_settings_says_so(tmp_path: Path) -> None:
    preprocessor(tmp_path).run()
    report = preprocessor(tmp_path, box_margin=0.2).check()
    assert report.has_errors
    assert "made with other settings (box_margin: 0.05 there, 0.2 now" in report.summary()


def test_a_repair_makes_a_damaged_pack_again_and_nothing_else(tmp_path: Path) -> None:
    preprocessor(tmp_path / "whole").run()
    preprocessor(tmp_path / "store").run()
    before = made_at(tmp_path / "store")
    damage(tmp_path / "store", "p5")
    report = preprocessor(tmp_path / "store").repair()
    assert (report.num_faces, report.has_errors) == (7, False)
    assert_same(tmp_path / "store", tmp_path / "whole")
    after = made_at(tmp_path / "store")
    assert [name for name in before if after[name] != before[name]] == ["p5"]


def test_a_repair_makes_a_damaged_table_again(tmp_path: Path) -> None:
    preprocessor(tmp_path).run()
    (tmp_path / "tables" / "p1.parquet").write_bytes(b"torn")
    assert preprocessor(tmp_path).repair().num_faces == 7


def test_what_cannot_be_repaired_stays_and_is_told(tmp_path: Path) -> None:
    preprocessor(tmp_path).run()
    damage(tmp_path, "p1")
    table, packs = content(tmp_path)
    report = preprocessor(tmp_path, GONE).repair()
    assert report.failed_groups == {"p1": "no photos; what was made before stays"}
    assert report.has_errors
    found, found_packs = content(tmp_path)
    assert found.equals(table)
    assert found_packs == packs


def test_a_repair_of_a_shard_touches_its_own_groups_alone(tmp_path: Path) -> None:
    preprocessor(tmp_path).run()
    damage(tmp_path, "p1")
    damage(tmp_path, "p2")
    preprocessor(tmp_path, shard="0/2").repair()
    assert damaged_groups(tmp_path) == ["p2"]


def test_a_run_does_not_pass_over_a_damaged_table(tmp_path: Path) -> None:
    preprocessor(tmp_path).run()
    (tmp_path / "tables" / "p1.parquet").write_bytes(b"torn")
    with pytest.raises(ValueError, match=r"p1\.parquet is damaged.*mode=repair"):
        preprocessor(tmp_path).run()


def test_what_one_shard_made_is_known_to_be_incomplete(tmp_path: Path) -> None:
    preprocessor(tmp_path, shard="0/2").run()
    assert missing_groups(tmp_path) == ["p2", "p4"]
    preprocessor(tmp_path, PEOPLE | {"p4": [ValueError("torn")]}).run()
    assert missing_groups(tmp_path) == ["p4"]
    preprocessor(tmp_path).run()
    assert missing_groups(tmp_path) == []


def test_a_name_that_no_file_can_have_leaves_no_store(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"a group is called 'p/1', expected a name"):
        preprocessor(tmp_path / "store", {"p/1": PEOPLE["p1"]}).run()
    assert not (tmp_path / "store").exists()
