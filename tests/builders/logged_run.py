"""The config of a small eye-contact run with offline loggers, and where W&B stages its files."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from builders.small_lam_training import overrides_of
from builders.small_training import composed

OFFLINE = ["logger=wandb", "logger.wandb.offline=true", "logger.wandb.log_model=true"]


@contextmanager
def staged_in(folder: Path) -> Iterator[None]:
    """W&B keeps a table's files in the home directory, until they are synced."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WANDB_DATA_DIR", str(folder))
        patch.delenv("WANDB_MODE", raising=False)
        yield


def config_of(work_dir: Path, run_dir: Path, *typed: str) -> dict[str, Any]:
    """The config of a small eye-contact run."""
    model = "gazepose" if "sweeps=table4" in typed else "gazelstm"
    overrides = overrides_of(model, work_dir / "store")
    return composed("train", *overrides, f"paths.run_dir={run_dir}", *typed)
