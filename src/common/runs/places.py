"""Where a run lies, and what it names: ``latest`` in a command, relative paths in a run.json."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from common.config.plain import Config, with_moved_places
from common.runs.snapshot import FILE_NAME as SNAPSHOT_FILE
from common.runs.snapshot import is_debug, read_snapshot
from common.training.checkpoints.resuming import newest_resumable, run_of

LOG = logging.getLogger(__name__)
LATEST = "latest"


def latest_run(runs_dir: Path) -> Path | None:
    """Return the run whose last start is the latest; None if there is none.

    A run with ``debug=`` keeps no weights and is none; a damaged run.json says nothing of its run.

    Args:
        runs_dir: the folder of runs, and of sweeps' folders of runs.
    """
    paths = [*runs_dir.glob(f"*/{SNAPSHOT_FILE}"), *runs_dir.glob(f"*/*/{SNAPSHOT_FILE}")]
    begun = [(time, str(path.parent)) for path in paths if (time := _begun(path))]
    return Path(max(begun)[1]) if begun else None


def _begun(path: Path) -> tuple[str, float] | None:
    try:
        snapshot = read_snapshot(path.parent)
    except ValueError:
        return None
    starts = snapshot.get("starts")
    if is_debug(snapshot) or not starts:
        return None
    # Starts within a second are told apart by the file.
    return str(starts[-1].get("time")), path.stat().st_mtime


def run_dir(ckpt_path: str | None, new_dir: str, runs_dir: str) -> str:
    """Return the run folder a checkpoint lies in, so that resuming goes on there, or a new one.

    Args:
        ckpt_path: the checkpoint, or ``latest``: that of the run in `runs_dir` begun last.
        new_dir: the new one.
        runs_dir: folder of runs.
    """
    if ckpt_path is None:
        return new_dir
    found = latest_run(Path(runs_dir)) if ckpt_path == LATEST else run_of(Path(ckpt_path))
    return str(found or new_dir)


# Of conf/hydra/default.yaml. At import: a launcher's workers import this module and call nothing.
OmegaConf.register_new_resolver("run_dir", run_dir, replace=True)


def with_latest_checkpoint(config: Config) -> Config:
    """Return a train config in which ``ckpt_path=latest`` is a checkpoint.

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
    """Return the folder of a run: a path, or a name or ``latest`` in ``paths.runs_dir``.

    Args:
        run: as typed.
        config: resolved.
        option: what was typed, for the message.

    Raises:
        ValueError: If there is no run.
    """
    runs_dir = Path(config["paths"]["runs_dir"])
    if run != LATEST:
        named = runs_dir / run
        return named if named.exists() and not Path(run).exists() else Path(run)
    found = latest_run(runs_dir)
    if found is None:
        raise ValueError(
            f"{option}=latest: there is no run in {runs_dir} (paths.runs_dir=FOLDER says another)"
        )
    LOG.info("%s=latest is %s", option, found)
    return found


def with_found_store(run_dir: Path, snapshot: Mapping[str, Any]) -> Config:
    """Return a run's config, with its face store where it was for the training.

    A relative path means the folder that the training was started in. Where that is not recorded,
    or not there any more, it is the one above the folder of runs that the run lies in. If there is
    no store in either, the config is as it was: the path means the folder of this command.
    """
    config: Config = snapshot["config"]
    store_dir = config["data"].get("store_dir")
    if not store_dir or Path(store_dir).is_absolute():
        return config
    for folder in _folders(run_dir, snapshot):
        if (folder / store_dir).is_dir() and folder != Path.cwd():
            places = {store_dir: str(folder / store_dir)}
            found: Config = with_moved_places(config, places)
            return found
    return config


def _folders(run_dir: Path, snapshot: Mapping[str, Any]) -> list[Path]:
    """Return the folders that relative paths may have meant."""
    started_in = snapshot["starts"][-1].get("folder") if snapshot.get("starts") else None
    runs_dir = Path(snapshot["config"].get("paths", {}).get("runs_dir") or ".")
    parents = run_dir.resolve().parents
    depth = len(runs_dir.parts)
    above = [
        folder.parents[depth - 1]
        for folder in parents
        if depth and len(folder.parts) > depth and folder.parts[-depth:] == runs_dir.parts
    ]
    return [*([Path(started_in)] if started_in else []), *above]
