"""A few kills of `make kill`, which makes forty: another seed, and not the slowest commands."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from kills.__main__ import MEMORY_DIR, kill_all
from kills.commands import COMMANDS

QUICK = [command for command in COMMANDS if command.name in ("preprocess gaze", "train FLAME")]


@pytest.mark.slow
@pytest.mark.skipif(not MEMORY_DIR.is_dir(), reason="no file system in memory")
def test_killed_and_typed_again_ends_as_if_never_killed(tmp_path: Path) -> None:
    with TemporaryDirectory(dir=MEMORY_DIR) as memory:
        assert kill_all(QUICK, number=4, seed=1, disk=tmp_path, memory=Path(memory)) == 0
