"""How a trainer writes and reads checkpoints: whole, verified, and naming files beside them."""

import logging
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from pytorch_lightning.plugins.io import CheckpointIO

from common.training.checkpoints.reading import read_checkpoint, save_checkpoint
from common.training.distributed import is_first_process

LOG = logging.getLogger(__name__)
State = Mapping[str, Any]
# In the state of a `ModelCheckpoint`.
_BEST, _SCORE, _BY_PATH = "best_model_path", "best_model_score", "best_k_models"
_PATHS = ("dirpath", _BEST, "kth_best_model_path", "last_model_path")
_NO_BEST: State = {_BEST: "", _SCORE: None, "kth_best_model_path": "", _BY_PATH: {}}


class WholeCheckpointIO(CheckpointIO):
    """Writes checkpoints as `save_checkpoint` does, and reads them as `read_checkpoint` does.

    Lightning 2.6 writes them in the system's temporary folder, copies them, and goes on without a
    word where it may not write. Its `ModelCheckpoint` keeps absolute paths, and forgets its best
    score in a folder that was moved: here paths are kept relative to the checkpoint's folder.
    """

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any = None
    ) -> None:
        """Write a checkpoint; the one that was there is there until this one is whole.

        Raises:
            ValueError: If it cannot be written.
        """
        path = Path(path)
        folder = path.parent.resolve()
        save_checkpoint(_with_paths(checkpoint, lambda its: os.path.relpath(its, folder)), path)

    def load_checkpoint(
        self, path: str | Path, map_location: Any = None, weights_only: bool | None = None
    ) -> dict[str, Any]:
        """Return a checkpoint, on the CPU, with paths to where its files lie now.

        Raises:
            ValueError: If it is damaged, or the best one that it speaks of.
        """
        path = Path(path)
        folder = path.parent.resolve()
        located = _with_paths(read_checkpoint(path), lambda its: _located(its, folder))
        return _with_states(located, lambda state: _of_files_there(state, path))

    def remove_checkpoint(self, path: str | Path) -> None:
        """Remove a checkpoint, if it is there."""
        Path(path).unlink(missing_ok=True)


def _with_states(checkpoint: State, change: Callable[[State], State]) -> dict[str, Any]:
    """Return a checkpoint with the states of its `ModelCheckpoint` callbacks changed."""
    states = checkpoint.get("callbacks", {})
    changed = {key: change(state) for key, state in states.items() if _BEST in state}
    return {**checkpoint, "callbacks": {**states, **changed}}


def _with_paths(checkpoint: State, change: Callable[[str], str]) -> dict[str, Any]:
    def changed(state: State) -> State:
        paths = {key: change(state[key]) for key in _PATHS if state[key]}
        scores = {change(path): score for path, score in state[_BY_PATH].items()}
        return {**state, **paths, _BY_PATH: scores}

    return _with_states(checkpoint, changed)


def _located(path: str, folder: Path) -> str:
    """Return where a path leads, seen from the folder that its checkpoint lies in now."""
    if not os.path.isabs(path):
        return os.path.normpath(folder / path)
    # Of a checkpoint that kept absolute ones: what lies beside it has moved with it.
    name = Path(path).name
    if name == folder.name:
        return str(folder)
    return str(folder / name) if (folder / name).exists() else path


def _of_files_there(state: State, path: Path) -> State:
    """Return the state of a `ModelCheckpoint`, without the best ones if one of them is gone.

    Raises:
        ValueError: If one is damaged.
    """
    best = [Path(one) for one in state[_BY_PATH] or [state[_BEST]] if one]
    if not all(one.is_file() for one in best):
        if state[_SCORE] is not None and is_first_process():
            LOG.warning("%s is gone: the best epoch to come takes its place", state[_BEST])
        return {**state, **_NO_BEST}
    if state[_SCORE] is not None:
        _check_best(one for one in best if one.name != path.name)
    return state


def _check_best(paths: Iterable[Path]) -> None:
    for path in paths:
        try:
            read_checkpoint(path)
        except ValueError as error:
            raise ValueError(
                f"{error}. It was the best so far; remove it, and the best epoch to come takes its "
                "place"
            ) from error
