"""Where what a run.json names by a relative path lies, seen from any folder."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from common.config.plain import with_moved_places

Config = Mapping[str, Any]


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
