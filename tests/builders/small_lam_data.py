"""The data module over a small eye-contact store, and what its batches show."""

from pathlib import Path
from typing import Any

import torch

from builders.small_lam import write_small_lam
from gazepose.data.datamodule import LamDataModule

SIZE = 32


def write_lam_store(folder: Path) -> Path:
    """Write three clips of train, two of val and one of test."""
    write_small_lam(folder, clips={"train": 3, "val": 2, "test": 1}, size=SIZE)
    return folder


def module(store_dir: Path, **settings: Any) -> LamDataModule:
    defaults = {
        "image_size": SIZE,
        "num_workers": 0,
        "val_stride": 5,
        "batch_size": 8,
        "dense": False,
    }
    return LamDataModule(name="small", store_dir=str(store_dir), **(defaults | settings))


def batches(loader: Any) -> dict[str, torch.Tensor]:
    """All batches as one."""
    all_of_them = list(loader)
    return {name: torch.cat([batch[name] for batch in all_of_them]) for name in all_of_them[0]}


def shown_frames(batch: dict[str, torch.Tensor]) -> list[list[int]]:
    """Red tells the frame number."""
    return batch["clip"][:, :, 0, 0, 0].tolist()
