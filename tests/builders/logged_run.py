"""The config of a small eye-contact run with offline loggers."""

from pathlib import Path
from typing import Any

from builders.small_lam_training import overrides_of
from builders.small_training import composed

OFFLINE = ["logger=wandb", "logger.wandb.offline=true", "logger.wandb.log_model=true"]


def config_of(work_dir: Path, run_dir: Path, *typed: str) -> dict[str, Any]:
    """The config of a small eye-contact run."""
    model = "gazepose" if "sweeps=table4" in typed else "gazelstm"
    overrides = overrides_of(model, work_dir / "store")
    return composed("train", *overrides, f"paths.run_dir={run_dir}", *typed)
