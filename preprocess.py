"""Raw data set -> face store.  python preprocess.py data=columbiagaze data.raw_dir=FOLDER.

The exit status is 1 if groups could not be made or only in part, or a check found errors.
"""

import logging
import sys

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from common.config import schema
from common.config.plain import plain
from common.preprocessing.command import prepare_store
from common.runs.script import run_script, script_task

schema.register()
LOG = logging.getLogger(__name__)


@hydra.main(version_base="1.3", config_path="conf", config_name="preprocess")
@script_task
def main(cfg: DictConfig) -> None:
    """Write, check, repair or export a store or its parts, and log the report."""
    outcome = prepare_store(plain(cfg))
    LOG.info(outcome.report)
    if not outcome.has_errors:
        return
    if HydraConfig.get().mode == RunMode.MULTIRUN:
        # An exit would end the other jobs; Hydra raises this one once all of them are done.
        raise ValueError("the report above has errors")
    sys.exit(1)


if __name__ == "__main__":
    run_script(main, "preprocess")
