"""Checks of a training in several processes.

Each raises ValueError, and says what to type instead.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from common.training.checkpoints.resuming import run_of

# Lightning's strategies that copy this process instead of starting the script again.
_COPIES = ("spawn", "fork", "notebook")
_ONE_PROCESS = ("auto", "single_device")


def check_processes(config: Mapping[str, Any], is_multirun: bool, typed: Sequence[str]) -> None:
    """Refuse a run whose processes would count wrongly, or not share a folder.

    Args:
        config: the resolved train config.
        is_multirun: whether Hydra runs a sweep.
        typed: what was typed for Hydra itself.
    """
    check_strategy(config["trainer"])
    check_multirun(config["trainer"], is_multirun)
    if not is_multirun:
        check_shared_folder(config["ckpt_path"], typed)


def check_strategy(trainer: Mapping[str, Any]) -> None:
    """Refuse a trainer that cannot run here, or would count wrongly.

    Copies of this process share their metrics' memory and count samples twice on the CPU.
    """
    strategy = str(trainer["strategy"])
    if any(word in strategy for word in _COPIES):
        raise ValueError(
            f"trainer.strategy={strategy} starts processes that share their metrics' memory, so "
            "that samples count twice: type trainer=ddp (GPUs) or trainer=ddp_cpu"
        )
    if trainer["accelerator"] in ("gpu", "cuda") and not _has_gpu():
        raise ValueError(
            "trainer.accelerator=gpu, but there is no GPU here: leave trainer=... out to use what "
            "there is, or type trainer=ddp_cpu for two processes on the CPU"
        )


def check_multirun(trainer: Mapping[str, Any], is_multirun: bool) -> None:
    """Refuse a sweep whose jobs start processes: each would run the whole sweep again.

    Slurm starts the processes of a job itself, so `hydra/launcher=submitit_slurm` may have jobs of
    several.
    """
    is_managed = os.environ.get("SUBMITIT_EXECUTOR") == "slurm"
    if is_multirun and not is_managed and (_takes_many(trainer) or _outer_launcher()):
        raise ValueError(
            "a sweep's jobs take one device each, because every further process would run the "
            "whole sweep again. Type trainer=default (trainer.devices=1), run the jobs one by one "
            "without -m, or on a cluster with hydra/launcher=submitit_slurm"
        )


def check_shared_folder(ckpt_path: str | None, typed: Sequence[str]) -> None:
    """Refuse processes started from outside without a common run folder.

    Lightning tells the processes that it starts itself which folder is theirs; torchrun and srun
    start equal commands, and the folder's default name holds the time. A checkpoint inside a run
    says the folder, too.
    """
    launcher = _outer_launcher()
    is_said = any(override.startswith("hydra.run.dir=") for override in typed)
    is_said |= ckpt_path is not None and run_of(Path(ckpt_path)) is not None
    if launcher and not is_said:
        raise ValueError(
            f"{launcher} starts each process by itself, and each would name a run folder of its "
            "own by the time of its start: type hydra.run.dir=runs/NAME"
        )


def _outer_launcher() -> str | None:
    """Return what started this process together with others; None if it was started alone."""
    num_started = int(os.environ.get("WORLD_SIZE", "1"))
    if "TORCHELASTIC_RUN_ID" in os.environ and num_started > 1:
        return "torchrun"
    # A shell inside an allocation has these variables, and starts processes alone.
    is_shell = os.environ.get("SLURM_JOB_NAME") in ("bash", "interactive")
    num_tasks = int(os.environ.get("SLURM_NTASKS", "1"))
    return "srun" if num_tasks > 1 and not is_shell else None


def _takes_many(trainer: Mapping[str, Any]) -> bool:
    devices = trainer["devices"]
    is_one = len(devices) == 1 if isinstance(devices, list) else str(devices) in ("1", "[0]")
    return (
        not is_one
        or trainer.get("num_nodes", 1) != 1
        or str(trainer["strategy"]) not in _ONE_PROCESS
    )


def _has_gpu() -> bool:
    return torch.cuda.is_available() or torch.backends.mps.is_available()
