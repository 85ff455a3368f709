"""What our configs compute: resolvers, registered where this module is imported."""

import operator
from collections.abc import Iterable, Mapping
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from omegaconf import OmegaConf

from common.config.latest_run import LATEST, latest_run


def run_dir(ckpt_path: str | None, new_dir: str, runs_dir: str | None = None) -> str:
    """Return the run folder a checkpoint lies in, so that resuming goes on there, or a new one.

    Args:
        ckpt_path: the checkpoint, or ``latest``: that of the run in `runs_dir` begun last.
        new_dir: the new one.
        runs_dir: folder of runs.
    """
    if ckpt_path is None:
        return new_dir
    if ckpt_path == LATEST:
        latest = None if runs_dir is None else latest_run(Path(runs_dir))
        return new_dir if latest is None else str(latest)
    folder = Path(ckpt_path).parent
    is_in_run = folder.name == "checkpoints" and (folder.parent / "run.json").is_file()
    return str(folder.parent) if is_in_run else new_dir


def sweep_choices(values: Iterable[object]) -> str:
    """Return values as Hydra's sweeper wants them: a study's rows and seeds are stated once."""
    return ",".join(str(value) for value in values)


def nets_on_data(nets: Mapping[str, str], data: Mapping[str, str]) -> dict[str, str]:
    """Return the titles of a study's rows that are every net trained on every data set.

    Args:
        nets: their titles by the name of their model.
        data: their titles by name.
    """
    return {
        f"{model}_{name}": f"{title}, trained on {trained_on}"
        for name, trained_on in data.items()
        for model, title in nets.items()
    }


def of_model(numbers: Mapping[str, float], model: str, otherwise: float) -> float:
    """Return a number of a recipe that one or two models need otherwise."""
    return numbers.get(model, otherwise)


def fast_precision(accelerator: str) -> str:
    """Return ``bf16-mixed`` where the device computes in it, else ``32-true``.

    A processor or GPU without it takes some ten times as long in bf16 as in float32.
    """
    # Heavy; only narrow experiments ask.
    import torch

    if accelerator != "cpu" and torch.cuda.is_available():
        has_bf16 = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        has_bf16 = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return "bf16-mixed" if has_bf16 else "32-true"


def device_of_job(num_devices: int) -> int:
    """Return the device of this job of a sweep: side by side, jobs take turns at the devices."""
    return int(HydraConfig.get().job.num) % num_devices


# At import: a launcher's workers import this module and call nothing.
OmegaConf.register_new_resolver("run_dir", run_dir, replace=True)
OmegaConf.register_new_resolver("sweep_choices", sweep_choices, replace=True)
OmegaConf.register_new_resolver("nets_on_data", nets_on_data, replace=True)
OmegaConf.register_new_resolver("of_model", of_model, replace=True)
OmegaConf.register_new_resolver("fast_precision", fast_precision, replace=True)
OmegaConf.register_new_resolver("equal", operator.eq, replace=True)
OmegaConf.register_new_resolver("device_of_job", device_of_job, replace=True)
