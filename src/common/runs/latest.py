"""What ``latest`` stands for in a command."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from common.config.latest_run import LATEST, latest_run
from common.runs.snapshot import FILE_NAME as SNAPSHOT_FILE
from common.training.resuming import newest_resumable

LOG = logging.getLogger(__name__)
Config = Mapping[str, Any]


def with_latest_checkpoint(config: Config) -> Config:
    """Return a train config in which ``ckpt_path=latest`` is a checkpoint.

    Args:
        config: resolved.

    Raises:
        ValueError: If there is no run, or it has nothing whole to go on from.
    """
    if config["ckpt_path"] != LATEST:
        return config
    run_dir = Path(config["paths"]["run_dir"])
    # Hydra has chosen that run's folder, unless the command says another.
    if not (run_dir / SNAPSHOT_FILE).is_file():
        run_dir = found_run(LATEST, config, "ckpt_path")
    path = newest_resumable(run_dir / "checkpoints")
    if path is None:
        raise ValueError(
            f"ckpt_path=latest: {run_dir}, the run begun last, has no checkpoint: it ended before "
            "an epoch did. Start anew, or name another run's checkpoint"
        )
    LOG.info("ckpt_path=latest is %s", path)
    return {**config, "ckpt_path": str(path)}


def found_run(run: str, config: Config, option: str) -> Path:
    """Return a run's folder.

    Args:
        run: as typed, or ``latest``.
        config: resolved; its ``paths.runs_dir`` is searched.
        option: what was typed, for the message.

    Raises:
        ValueError: If there is no run.
    """
    if run != LATEST:
        return Path(run)
    found = latest_run(Path(config["paths"]["runs_dir"]))
    if found is None:
        raise ValueError(
            f"{option}=latest: there is no run in {config['paths']['runs_dir']} "
            "(paths.runs_dir=FOLDER says another)"
        )
    LOG.info("%s=latest is %s", option, found)
    return found
