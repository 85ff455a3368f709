"""The script's exit status tells whether something went wrong; what was made stays."""

import subprocess
import sys
from pathlib import Path

import pytest
from builders.small_ego4d import write_small_ego4d
from builders.small_training import REPO_DIR

from common.store.damage import damaged_groups
from common.store.reading import stored_groups

UNMEASURED = ["landmarks=none", "head_pose=none"]


def preprocess(folder: Path, *overrides: str) -> subprocess.CompletedProcess[str]:
    preparation = [f"data.preprocessor.preparation.{setting}" for setting in UNMEASURED]
    return subprocess.run(
        [
            *(sys.executable, str(REPO_DIR / "preprocess.py"), *overrides),
            *("data=ego4d", "num_workers=0", *preparation),
            *(f"data.raw_dir={folder}", f"data.store_dir={folder / 'store'}"),
        ],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("shards", [[], ["-m", "shard=0/2,1/2"]])
def test_a_failed_clip_is_told_and_the_others_are_kept(tmp_path: Path, shards: list[str]) -> None:
    write_small_ego4d(tmp_path)
    (tmp_path / "v2/clips/aaa.mp4").write_bytes(b"no video")
    done = preprocess(tmp_path, *shards)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "failed: aaa: " in done.stdout
    assert stored_groups(tmp_path / "store") == ["bbb", "ccc"]
    assert "Traceback" not in done.stderr


def test_a_damaged_store_is_told_by_a_check_and_healed_by_a_repair(tmp_path: Path) -> None:
    write_small_ego4d(tmp_path)
    assert preprocess(tmp_path).returncode == 0
    (tmp_path / "store" / "packs" / "bbb.pack").write_bytes(b"damaged")
    check = preprocess(tmp_path, "mode=check")
    assert (check.returncode, "1 group damaged: bbb" in check.stdout) == (1, True)
    assert preprocess(tmp_path, "mode=repair").returncode == 0
    assert damaged_groups(tmp_path / "store") == []


@pytest.mark.parametrize("lost", [None, "v2/annotations/av_val.json"])
def test_a_check_with_errors_is_told(tmp_path: Path, lost: str | None) -> None:
    write_small_ego4d(tmp_path)
    if lost is not None:
        (tmp_path / lost).unlink()
    done = preprocess(tmp_path, "mode=check")
    assert done.returncode == (lost is not None), done.stdout + done.stderr
    assert "no store yet" in done.stdout
