"""Train a model, then test its best checkpoint.  python train.py model=flame data=columbiagaze."""

from pathlib import Path

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from common import schema
from common.checks import check_multirun, check_one_device_test
from common.run import fit_and_test

schema.register()


@hydra.main(version_base="1.3", config_path="conf", config_name="train")
def main(cfg: DictConfig) -> float | None:
    """Run one job; returns the metric a sweep optimises."""
    config = schema.plain(cfg)
    hydra_config = HydraConfig.get()
    check_multirun(config["trainer"], hydra_config.mode == RunMode.MULTIRUN)
    check_one_device_test(config["trainer"], config["test"])
    choices = schema.plain(hydra_config.runtime.choices)
    metrics = fit_and_test(config, choices, Path(config["paths"]["run_dir"]))
    return metrics.get(f"best_{config['optimized_metric']}")


if __name__ == "__main__":
    main()
