"""A trained model on a data split or on photos.  python predict.py run=runs/NAME split=test."""

import logging
import sys

import hydra
from omegaconf import DictConfig

from common.config import schema
from common.config.command_line import for_hydra
from common.config.plain import plain
from common.prediction.command import predict

schema.register()
LOG = logging.getLogger(__name__)


@hydra.main(version_base="1.3", config_path="conf", config_name="predict")
def main(cfg: DictConfig) -> None:
    """Predict as asked, and log what came out."""
    LOG.info(predict(plain(cfg)))


if __name__ == "__main__":
    sys.argv[1:] = for_hydra(sys.argv[1:])
    main()
