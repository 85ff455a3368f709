"""A trained model on a data split or on photos.  python predict.py run=runs/NAME split=test."""

import logging

import hydra
from omegaconf import DictConfig

from common.config import schema
from common.config.plain import plain
from common.prediction.command import predict
from common.runs.script import run_script, script_task

schema.register()
LOG = logging.getLogger(__name__)


@hydra.main(version_base="1.3", config_path="conf", config_name="predict")
@script_task
def main(cfg: DictConfig) -> None:
    """Predict as asked, and log what came out."""
    LOG.info(predict(plain(cfg)))


if __name__ == "__main__":
    run_script(main, "predict", {"data": "datamodule", "model": "module"})
