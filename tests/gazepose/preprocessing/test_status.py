"""The script's exit status tells whether something went wrong; what was made stays."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from builders.small_ego4d import write_small_ego4d
from builders.small_training import REPO_DIR, composed

from common.preprocessing.command import Outcome, prepare_store
from common.store.damage import damaged_groups
from common.store.reading import stored_groups


def typed(folder: Path, *overrides: str) -> list[str]:
    preparation = "data.preprocessor.preparation"
    unmeasured = [f"{preparation}.landmarks=none", f"{preparation}.head_pose=none"]
    places = [f"data.raw_dir={folder}", f"data.store_dir={folder / 'store'}"]
    return [*overrides, "data=ego4d", "num_workers=0", *unmeasured, *places]


def preprocess(folder: Path, *overrides: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(REPO_DIR / "preprocess.py"), *typed(folder, *overrides)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def preprocess_here(folder: Path, *overrides: str) -> Outcome:
    return prepare_store(composed("preprocess", *typed(folder, *overrides), "paths.run_dir=x"))


@pytest.mark.parametrize("shards", [[], ["-m", "shard=0/2,1/2"]])
def test_a_failed_clip_is_told_and_the_others_are_kept(tmp_path: Path, shards: list[str]) -> None:
    write_small_ego4d(tmp_path)
    (tmp_path / "v2/clips/aaa.mp4").write_bytes(b"no video")
    done = preprocess(tmp_path, *shards)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "failed: aaa: " in done.stdout
    assert stored_groups(tmp_path / "store") == ["bbb", "ccc"]
    assert "Traceback" not in done.stderr


def test_a_check_without_errors_ends_well(tmp_path: Path) -> None:
    write_small_ego4d(tmp_path)
    done = preprocess(tmp_path, "mode=check")
    assert done.returncode == 0, done.stdout + done.stderr
    assert str(tmp_path / "store") in done.stdout


def test_a_damaged_store_is_told_by_a_check_and_healed_by_a_repair(tmp_path: Path) -> None:
    write_small_ego4d(tmp_path)
    assert not preprocess_here(tmp_path).has_errors
    (tmp_path / "store" / "packs" / "bbb.pack").write_bytes(b"damaged")
    check = preprocess_here(tmp_path, "mode=check")
    assert check.has_errors
    assert re.search("1 group .*: bbb", check.report)
    assert not preprocess_here(tmp_path, "mode=repair").has_errors
    assert damaged_groups(tmp_path / "store") == []
