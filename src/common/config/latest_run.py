"""The run that was begun last: what ``latest`` stands for in ``ckpt_path=`` and ``run=``."""

import json
from pathlib import Path
from typing import Any

LATEST = "latest"
_FILE_NAME = "run.json"


def latest_run(runs_dir: Path) -> Path | None:
    """Return the run whose last start is the latest; None if there is none.

    A run with ``debug=`` keeps no weights and is none; a damaged run.json says nothing of its run.

    Args:
        runs_dir: the folder of runs, and of sweeps' folders of runs.
    """
    paths = [*runs_dir.glob(f"*/{_FILE_NAME}"), *runs_dir.glob(f"*/*/{_FILE_NAME}")]
    begun = [(time, str(path.parent)) for path in paths if (time := _begun(path))]
    return Path(max(begun)[1]) if begun else None


def _begun(path: Path) -> tuple[str, float] | None:
    try:
        snapshot: dict[str, Any] = json.loads(path.read_text())
        time = snapshot["starts"][-1]["time"]
        debug = snapshot["choices"].get("debug")
        # Starts within a second are told apart by the file.
        return None if debug not in (None, "null") else (str(time), path.stat().st_mtime)
    except (OSError, ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError):
        return None
