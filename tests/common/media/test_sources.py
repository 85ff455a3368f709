"""The files a user means."""

from __future__ import annotations

from pathlib import Path

import pytest

from common.media.sources import check_output_dir, find_files, unique_stems


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("b.mp4", "A.MOV", "x[1].mp4", "notes.txt", "._b.mp4", "deep/c.mp4"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    return tmp_path


def names(source: object) -> list[str]:
    return [path.name for path in find_files(str(source), (".mp4", ".mov"))]


def test_a_source_is_a_file_a_folder_or_a_pattern(folder: Path) -> None:
    assert names(folder / "b.mp4") == ["b.mp4"]
    assert names(folder) == ["A.MOV", "b.mp4", "x[1].mp4"]
    assert names(folder / "*.mp4") == ["b.mp4", "x[1].mp4"]
    assert names(folder / "**" / "c*") == ["c.mp4"]


def test_a_file_with_brackets_in_its_name_is_that_file(folder: Path) -> None:
    assert names(folder / "x[1].mp4") == ["x[1].mp4"]


def test_other_kinds_and_leftovers_are_none(folder: Path) -> None:
    assert names(folder / "notes.txt") == names(folder / "nowhere") == names(folder / "._*") == []


def test_stems_are_numbered_where_they_would_collide() -> None:
    paths = [Path("a/x.mp4"), Path("b/X.mov"), Path("b/y.mp4"), Path("c/x.avi")]
    assert list(unique_stems(paths)) == ["x", "X_2", "y", "x_3"]


def test_an_output_folder_among_the_sources_is_refused(folder: Path) -> None:
    with pytest.raises(ValueError, match=r"output_dir=.* holds videos of the source; name another"):
        check_output_dir(folder / "deep" / "..", "videos", [folder / "b.mp4"])
    check_output_dir(folder / "out", "videos", [folder / "b.mp4"])
