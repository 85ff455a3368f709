"""What callbacks of a test ask a trainer for."""

from types import SimpleNamespace
from typing import Any


def fake_trainer(datamodule: Any) -> Any:
    """Return a trainer of one process, without loggers, that chose no checkpoint."""
    return SimpleNamespace(
        datamodule=datamodule,
        world_size=1,
        loggers=[],
        global_step=0,
        precision="32-true",
        checkpoint_callback=None,
        ckpt_path=None,
    )
