"""Raw data set -> face store.  python preprocess.py data=columbiagaze data.raw_dir=FOLDER."""

import logging

import hydra
from omegaconf import DictConfig

from common import schema
from common.preprocessing import prepare_store

schema.register()
LOG = logging.getLogger(__name__)


@hydra.main(version_base="1.3", config_path="conf", config_name="preprocess")
def main(cfg: DictConfig) -> None:
    """Write, check or export a store, and log the report."""
    LOG.info(prepare_store(schema.plain(cfg)))


if __name__ == "__main__":
    main()
