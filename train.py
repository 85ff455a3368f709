"""Train a model, then test its best checkpoint.  python train.py model=flame data=columbiagaze.

Or run a run again, and compare.  python train.py replay=runs/NAME.
"""

import sys

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from common.config import schema
from common.config.plain import plain
from common.runs.process_checks import check_processes
from common.runs.replay import config_name, replay, replayed_config
from common.runs.script import run_script, script_task
from common.studies.job import run_job

schema.register()


@hydra.main(version_base="1.3", config_path="conf", config_name=config_name(sys.argv))
@script_task
def main(cfg: DictConfig) -> float | None:
    """Run one job; returns the metric a sweep optimises."""
    asked = plain(cfg)
    is_replay = asked["replay"] is not None
    config = replayed_config(asked) if is_replay else asked
    hydra_config = HydraConfig.get()
    is_multirun = hydra_config.mode == RunMode.MULTIRUN
    check_processes(config, is_multirun, list(hydra_config.overrides.hydra))
    if is_replay:
        metrics = replay(config, asked)
    else:
        choices = plain(hydra_config.runtime.choices)
        metrics = run_job(config, choices)
    return metrics.get(f"best_{config['optimized_metric']}")


if __name__ == "__main__":
    run_script(main, config_name(sys.argv))
