"""A store that lacks groups its raw data have says so where it is trained on."""

from pathlib import Path

import pytest
from builders.seeded_store import write_seeded_store

from common.store.reading import missing_groups, warn_if_incomplete
from common.store.writing import write_expected


@pytest.mark.parametrize(
    ("expected", "missing"),
    [(["b", "a.1"], []), (["c", "b", "a.1", "0"], ["c", "0"]), (["b"], [])],
)
def test_missing_groups_are_named(
    expected: list[str], missing: list[str], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_expected(write_seeded_store(tmp_path), expected)
    assert missing_groups(tmp_path) == missing
    warn_if_incomplete(tmp_path)
    named = f"{len(missing)} groups missing: {', '.join(missing)}"
    assert (named in caplog.text) == bool(missing)


def test_a_store_of_which_nobody_says_what_it_should_hold_is_complete(tmp_path: Path) -> None:
    assert missing_groups(write_seeded_store(tmp_path)) == []
