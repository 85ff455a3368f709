"""A script in this process: what a study's jobs are started by, and what they leave."""

import json
import logging
import runpy
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hydra.core.global_hydra import GlobalHydra

from builders.small_training import REPO_DIR, one_thread
from builders.study_configs import Config


@contextmanager
def train_script_here(
    monkeypatch: pytest.MonkeyPatch, script: Path = REPO_DIR / "train.py"
) -> Iterator[Callable[..., int]]:
    """Within it a function of what is typed stands for the script: returns the exit status."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level

    def run(*typed: str) -> int:
        monkeypatch.setattr(sys, "argv", [str(script), *typed])
        try:
            with one_thread():
                runpy.run_path(sys.argv[0], run_name="__main__")
        except SystemExit as end:
            if isinstance(end.code, str):
                print(end.code, file=sys.stderr)
                return 1
            return int(end.code or 0)
        return 0

    yield run
    # Hydra put its own in their place.
    root.handlers[:] = handlers
    root.setLevel(level)
    GlobalHydra.instance().clear()


def snapshots(study_dir: Path) -> dict[str, Config]:
    found = {path.parent.name: path for path in study_dir.glob("*/run.json")}
    return {name: json.loads(path.read_text()) for name, path in sorted(found.items())}
