"""Trainings in processes of their own, and what they logged."""

import csv
import os
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from builders.small_training import REPO_DIR
from common.runs.snapshot import read_snapshot

TRAIN = [sys.executable, str(REPO_DIR / "train.py")]
# A collective that waits for a process that is gone shall fail here, not in half an hour.
TIMEOUT_S = 300


def start(command: Sequence[str], folder: Path, **variables: str) -> subprocess.Popen[str]:
    """Start a command, one thread a process, with further environment variables."""
    environment = {name: value for name, value in os.environ.items() if name not in _OF_LAUNCHERS}
    environment |= {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE", **variables}
    return subprocess.Popen(
        command, cwd=folder, env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def run(command: Sequence[str], folder: Path, **variables: str) -> str:
    """Run a command to its end; return what it said."""
    process = start(command, folder, **variables)
    said, _ = process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == 0, said
    return said


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def snapshot(run_dir: Path) -> dict:
    return read_snapshot(run_dir)


def logged(run_dir: Path, version: int = 0) -> list[dict[str, float]]:
    """Everything that a start logged, in its order."""
    with (run_dir / "csv" / f"version_{version}" / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    return [{name: float(value) for name, value in row.items() if value} for row in rows]


def assert_same_log(
    found: Sequence[Mapping[str, float]], expected: Sequence[Mapping[str, float]]
) -> None:
    """Sums over processes are added in another order: 1e-5 is a hundred roundings of float32."""
    assert [set(row) for row in found] == [set(row) for row in expected]
    for row, other in zip(found, expected, strict=True):
        assert row == pytest.approx(other, rel=1e-5, abs=1e-7)


def files(run_dir: Path) -> set[str]:
    return {str(path.relative_to(run_dir)) for path in run_dir.rglob("*") if path.is_file()}


_OF_LAUNCHERS = ("LOCAL_RANK", "RANK", "WORLD_SIZE", "NODE_RANK", "MASTER_ADDR", "MASTER_PORT")
