"""A run's folder: what a start may go on with, and what it must leave alone."""

import logging
from pathlib import Path

from common.config.checks import check_resumed_data, check_resumed_net
from common.config.plain import Config
from common.files.checksums import code_sha256
from common.runs.settings import (
    Changes,
    changes,
    changes_of_training,
    check_resumed_settings,
    said,
    unnamed,
)
from common.runs.snapshot import FILE_NAME as SNAPSHOT_FILE
from common.runs.snapshot import is_debug, read_snapshot
from common.training.checkpoints.resuming import newest_resumable
from common.training.datamodule import SuiteDataModule

LOG = logging.getLogger(__name__)


def continued(
    config: Config, run_dir: Path, choices: Config
) -> tuple[dict[str, float] | None, Config]:
    """Return a finished run's metrics, or None and the config that goes on from its checkpoint.

    Args:
        config: the resolved train config.
        run_dir: the run's folder; it may have been moved.
        choices: Hydra's group choices.

    Raises:
        ValueError: If the folder holds a run of another config, or its checkpoints are damaged.
    """
    if not (run_dir / SNAPSHOT_FILE).is_file():
        return None, config
    snapshot = read_snapshot(run_dir)
    if is_debug(snapshot) and not is_debug({"choices": choices}):
        LOG.info("%s held a run with debug=, which is no result: it is begun anew", run_dir)
        (run_dir / SNAPSHOT_FILE).unlink()
        return None, config
    found = unnamed(changes(snapshot["config"], config), _wanted(config))
    if found:
        raise ValueError(
            f"{run_dir} holds a run of another config; remove it or choose another. It has: "
            f"{said(found)}"
        )
    if snapshot["status"] == "finished":
        return snapshot["metrics"], config
    newest = newest_resumable(run_dir / "checkpoints")
    return None, {**config, "ckpt_path": str(newest) if newest else config["ckpt_path"]}


def check_free(run_dir: Path, config: Config) -> None:
    """Refuse a folder with a run that this one does not go on with."""
    is_taken = (run_dir / SNAPSHOT_FILE).is_file()
    if is_taken and config["ckpt_path"] is None and not config["continue_run"]:
        raise ValueError(
            f"{run_dir} holds a run already: go on with continue_run=true, or choose another folder"
        )


def check_resumed(run_dir: Path, config: Config, datamodule: SuiteDataModule) -> Changes:
    """Refuse to go on with another net, other data, or with other settings than were asked for.

    Returns:
        The settings that differ on purpose.
    """
    if (run_dir / SNAPSHOT_FILE).is_file():
        snapshot = read_snapshot(run_dir)
        check_resumed_net(snapshot["config"], config, str(run_dir))
        check_resumed_data(snapshot["data"], datamodule.fingerprint(), str(run_dir))
    resumed = _resumed_run(config)
    if resumed is None:
        return {}
    before = read_snapshot(resumed)
    is_same_code = before.get("code_sha256") == code_sha256()
    found = changes_of_training(before["config"], config, is_same_code)
    check_resumed_settings(found, _wanted(config), str(resumed))
    return found


def takes_own_settings(config: Config) -> bool:
    """Return whether a training goes on with its config's settings, not with its checkpoint's.

    Once they were changed they stay: a start that was killed has saved nothing of them.
    """
    if not _goes_on(config):
        return False
    resumed = _resumed_run(config)
    if resumed is None:
        LOG.warning(
            "%s lies in no run: with which settings it was trained is not known; it goes on with "
            "those of this command",
            config["ckpt_path"],
        )
        return True
    starts = read_snapshot(resumed)["starts"]
    return bool(_wanted(config)) or any(start.get("changes") for start in starts)


def _goes_on(config: Config) -> bool:
    return config["ckpt_path"] is not None and Path(config["ckpt_path"]).suffix == ".ckpt"


def _resumed_run(config: Config) -> Path | None:
    """Return the run that goes on, by the folder of its checkpoint; None if it lies in none."""
    if not _goes_on(config):
        return None
    run_dir = Path(config["ckpt_path"]).absolute().parent.parent
    return run_dir if (run_dir / SNAPSHOT_FILE).is_file() else None


def _wanted(config: Config) -> list[str]:
    return list(config.get("resume_with") or [])  # runs of before have no such option
