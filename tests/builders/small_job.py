"""A script with the configs of train.py and none of its weight, and a job for joblib's workers."""

import os
import sys
from pathlib import Path

import hydra
from omegaconf import DictConfig

from common.config import schema
from common.config.command_line import for_hydra
from common.config.plain import plain

CONF_DIR = Path(__file__).parents[2] / "conf"


def loaded_in_a_process() -> list[float]:
    """Load four numbers with a loader process of their own."""
    import torch

    from common.training.reproducibility import seeded_loader

    numbers = torch.utils.data.TensorDataset(torch.arange(4.0))
    loader = seeded_loader(numbers, seed=0, trains=True, num_workers=1, batch_size=2)
    return [value for (batch,) in loader for value in batch.tolist()]


@hydra.main(version_base="1.3", config_path=str(CONF_DIR), config_name="train")
def main(cfg: DictConfig) -> float:
    """Write down process, seed, threads, device; seed 1 fails; the best learning rate is 1e-3."""
    config = plain(cfg)
    threads, device = os.environ.get("OMP_NUM_THREADS"), config["trainer"]["devices"]
    said = (os.getpid(), config["seed"], threads, config["name"], str(device).strip("[]"))
    (Path(config["paths"]["run_dir"]) / "said.txt").write_text(" ".join(map(str, said)))
    if config["seed"] == 1:
        raise RuntimeError("seed 1 fails")
    return abs(config["model"]["learning_rate"] - 1e-3)


schema.register()

if __name__ == "__main__":
    sys.argv[1:] = for_hydra(sys.argv[1:])
    main()
