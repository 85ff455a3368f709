"""A run's folder: what a start may go on with, and what it must leave alone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from common.config.checks import check_resumed_data, check_resumed_net
from common.config.plain import leaves, with_moved_places
from common.listing import listed
from common.runs.parts import SuiteDataModule
from common.runs.snapshot import FILE_NAME as SNAPSHOT_FILE
from common.runs.snapshot import read_snapshot
from common.training.resuming import newest_resumable

Config = Mapping[str, Any]
# Of a trainer: on what it runs, not what it does.
_PROCESS_KEYS = ("accelerator", "devices", "num_nodes", "strategy", "sync_batchnorm")


def continued(config: Config, run_dir: Path) -> tuple[dict[str, float] | None, Config]:
    """Return a finished run's metrics, or None and the config that goes on from its checkpoint.

    Args:
        config: the resolved train config.
        run_dir: the run's folder; it may have been moved.

    Raises:
        ValueError: If the folder holds a run of another config, or its checkpoints are damaged.
    """
    if not (run_dir / SNAPSHOT_FILE).is_file():
        return None, config
    snapshot = read_snapshot(run_dir)
    moved = {snapshot["config"]["paths"]["run_dir"]: config["paths"]["run_dir"]}
    before = _lasting(with_moved_places(snapshot["config"], moved))
    now = _lasting(config)
    if before != now:
        raise ValueError(
            f"{run_dir} holds a run of another config; remove it or choose another. "
            f"{_differing(before, now)}"
        )
    if snapshot["status"] == "finished":
        return snapshot["metrics"], config
    newest = newest_resumable(run_dir / "checkpoints")
    return None, {**config, "ckpt_path": str(newest) if newest else config["ckpt_path"]}


def _lasting(config: Config) -> Config:
    """Return what a start that goes on has in common with the first one, by dotted key.

    A study may grow. An option that is null is off, as one that was not there yet.
    """
    trainer = {key: value for key, value in config["trainer"].items() if key not in _PROCESS_KEYS}
    free = {"ckpt_path": None, "continue_run": None, "study": None}
    lasting = leaves({**config, **free, "trainer": trainer})
    return {key: value for key, value in lasting if value is not None}


def _differing(old: Config, new: Config) -> str:
    """Return the keys in which two configs differ, with their values."""
    keys = [*new, *(key for key in old if key not in new)]
    return "It has, and now: " + listed(
        [
            f"{key}={old.get(key, 'none')} and {new.get(key, 'none')}"
            for key in keys
            if key not in old or key not in new or old[key] != new[key]
        ]
    )


def check_folder(run_dir: Path, config: Config, datamodule: SuiteDataModule) -> None:
    """Refuse a folder with a run that this one does not go on with.

    Args:
        run_dir: the run's folder.
        config: the resolved train config.
        datamodule: the run's data.

    Raises:
        ValueError: If so, or if that run was of another net or on other data.
    """
    if not (run_dir / SNAPSHOT_FILE).is_file():
        return
    if config["ckpt_path"] is None and not config["continue_run"]:
        raise ValueError(
            f"{run_dir} holds a run already: go on with continue_run=true, or choose another folder"
        )
    snapshot = read_snapshot(run_dir)
    check_resumed_net(snapshot["config"], config, str(run_dir))
    check_resumed_data(snapshot["data"], datamodule.fingerprint(), str(run_dir))
