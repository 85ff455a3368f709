"""What a training goes on from."""

import logging
from pathlib import Path
from typing import Any

import pytest
from builders.file_contents import halve
from pytorch_lightning.utilities import rank_zero_only

from common.training.checkpoints.reading import read_checkpoint, save_checkpoint
from common.training.checkpoints.resuming import check_resumable, newest_resumable, whole_checkpoint


def write(path: Path, num_epochs: int, *, is_inside: bool = False) -> Path:
    """Write a checkpoint of an epoch's end, or of one inside the epoch after it."""
    current = {"processed": num_epochs, "started": num_epochs + is_inside}
    loops = {"fit_loop": {"epoch_progress": {"current": current}}}
    content: dict[str, Any] = {"state_dict": {}, "loops": loops, "global_step": 10 * num_epochs}
    save_checkpoint(content, path)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The checkpoints of a run."""
    (tmp_path / "run.json").write_text("{}")
    return tmp_path / "checkpoints"


def test_the_last_one_is_taken(folder: Path) -> None:
    # Also of a run that was killed between the two: it repeats an epoch, and rewrites both.
    write(folder / "best.ckpt", 3)
    last = write(folder / "last.ckpt", 2)
    assert newest_resumable(folder) == last
    assert whole_checkpoint(last) == last


def test_where_it_is_damaged_the_newest_other_one_is_taken_and_told(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    last = halve(write(folder / "last.ckpt", 5))
    write(folder / "first.ckpt", 1)
    write(folder / "inside.ckpt", 4, is_inside=True)
    write(folder / ".best.4711.ckpt", 5)
    best = write(folder / "best.ckpt", 3)
    with caplog.at_level(logging.WARNING):
        assert newest_resumable(folder) == best
    assert all(str(path) in caplog.text for path in (best, last))
    assert whole_checkpoint(last) == best


def test_a_missing_last_one_becomes_a_copy(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    best = write(folder / "best.ckpt", 3)
    # Of processes that train together the first one writes.
    for rank in (1, 0):
        monkeypatch.setattr(rank_zero_only, "rank", rank)
        assert newest_resumable(folder) == best
        assert (folder / "last.ckpt").exists() == (rank == 0)
    assert read_checkpoint(folder / "last.ckpt") == read_checkpoint(best)


def test_where_all_are_damaged_there_is_nothing_to_go_on_from(folder: Path) -> None:
    last = halve(write(folder / "last.ckpt", 5))
    halve(write(folder / "best.ckpt", 3))
    write(folder / "inside.ckpt", 4, is_inside=True)
    for find in (lambda: newest_resumable(folder), lambda: whole_checkpoint(last)):
        with pytest.raises(ValueError, match=rf"last\.ckpt.*{folder.parent}"):
            find()


def test_a_run_killed_in_its_first_epoch_begins_again(folder: Path) -> None:
    assert newest_resumable(folder) is None
    write(folder / "best.ckpt", 0, is_inside=True)
    assert newest_resumable(folder) is None


def test_a_damaged_one_that_is_of_no_run_is_refused(tmp_path: Path) -> None:
    # Beside it lies what others trained.
    path = halve(write(tmp_path / "a.ckpt", 5))
    write(tmp_path / "b.ckpt", 5)
    with pytest.raises(ValueError, match=r"a\.ckpt"):
        whole_checkpoint(path)


def test_weights_alone_are_nothing_to_go_on_from(tmp_path: Path) -> None:
    save_checkpoint({"state_dict": {}}, tmp_path / "x.ckpt")
    with pytest.raises(ValueError, match=r"ckpt_path=.*x\.ckpt.*weights only"):
        check_resumable(tmp_path / "x.ckpt", [])
    assert newest_resumable(tmp_path) is None
