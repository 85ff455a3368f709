"""run.json: everything needed to say what a run was, and to run it again."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from common.atomic import write_text_atomically

FILE_NAME = "run.json"
_PACKAGES = (
    "gaze-suite",
    "torch",
    "torchvision",
    "pytorch-lightning",
    "hydra-core",
    "torchmetrics",
    "mediapipe",
    "opencv-python",
    "numpy",
)


def start_snapshot(
    run_dir: Path, *, config: Mapping[str, Any], choices: Mapping[str, Any], data: Mapping[str, Any]
) -> None:
    """Write run.json with status ``running``; a resumed run remembers its earlier starts.

    Args:
        run_dir: the run's folder.
        config: resolved config.
        choices: Hydra's group choices.
        data: fingerprint of the data.
    """
    earlier = read_snapshot(run_dir)["starts"] if (run_dir / FILE_NAME).exists() else []
    start = {"time": _now(), "command": [Path(sys.argv[0]).name, *sys.argv[1:]]}
    snapshot = {
        "status": "running",
        "starts": [*earlier, start],
        "config": config,
        "choices": choices,
        "data": data,
        "git": git_state(),
        "versions": _versions(),
        "machine": _machine(),
        "metrics": {},
    }
    _write(run_dir, snapshot)


def finish_snapshot(run_dir: Path, status: str, metrics: Mapping[str, float]) -> None:
    """Record how a run ended: ``finished``, ``failed`` or ``interrupted``, and its metrics."""
    snapshot = read_snapshot(run_dir)
    snapshot.update(status=status, finished=_now(), metrics=dict(metrics))
    _write(run_dir, snapshot)


def read_snapshot(run_dir: Path) -> dict[str, Any]:
    """Return a run's snapshot.

    Raises:
        ValueError: If the folder is not that of a run.
    """
    path = run_dir / FILE_NAME
    if not path.is_file():
        raise ValueError(f"{run_dir} is no run: it has no {FILE_NAME}")
    snapshot: dict[str, Any] = json.loads(path.read_text())
    return snapshot


def git_state() -> dict[str, Any]:
    """Return commit and uncommitted changes of the working copy; empty outside one."""
    commit = _git("rev-parse", "HEAD")
    if commit is None:
        return {}
    return {"commit": commit, "changes": _git("diff", "HEAD") or ""}


def _git(*arguments: str) -> str | None:
    folder = Path(__file__).parent
    done = _run_quietly(["git", *arguments], folder)
    return None if done is None else done.strip()


def _run_quietly(command: Sequence[str], folder: Path) -> str | None:
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return None
    return done.stdout if done.returncode == 0 else None


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _machine() -> dict[str, Any]:
    devices = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    return {"platform": platform.platform(), "num_cores": os.cpu_count(), "devices": devices}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _write(run_dir: Path, snapshot: Mapping[str, Any]) -> None:
    write_text_atomically(run_dir / FILE_NAME, json.dumps(snapshot, indent=1, default=str) + "\n")
