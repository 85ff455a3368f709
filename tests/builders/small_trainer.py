"""Lightning's trainer as tests of modules use it: on the CPU, silent, and leaving nothing."""

from pathlib import Path
from typing import Any

from pytorch_lightning import Trainer


def small_trainer(folder: Path, **settings: Any) -> Trainer:
    """Return a trainer that would write to `folder`."""
    defaults = {
        "accelerator": "cpu",
        "logger": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
        "enable_checkpointing": False,
        "default_root_dir": folder,
        "num_sanity_val_steps": 0,
    }
    return Trainer(**(defaults | settings))
