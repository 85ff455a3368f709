"""What our configs compute: resolvers, registered where this module is imported."""

import operator
from collections.abc import Iterable, Mapping

from hydra.core.hydra_config import HydraConfig
from omegaconf import OmegaConf


def sweep_choices(values: Iterable[object]) -> str:
    """Return values as Hydra's sweeper wants them: a study's rows and seeds are stated once."""
    return ",".join(str(value) for value in values)


def nets_on_data(nets: Mapping[str, str], data: Mapping[str, str]) -> dict[str, str]:
    """Return the titles of a study's rows that are every net trained on every data set."""
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
OmegaConf.register_new_resolver("sweep_choices", sweep_choices, replace=True)
OmegaConf.register_new_resolver("nets_on_data", nets_on_data, replace=True)
OmegaConf.register_new_resolver("of_model", of_model, replace=True)
OmegaConf.register_new_resolver("fast_precision", fast_precision, replace=True)
OmegaConf.register_new_resolver("equal", operator.eq, replace=True)
OmegaConf.register_new_resolver("device_of_job", device_of_job, replace=True)
