"""The configs of studies and of their rows, and Hydra as it runs one of their jobs."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from itertools import product
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.hydra_config import HydraConfig

from builders.small_training import composed
from builders.train_configs import CONF_DIR
from common.config.plain import plain

Config = dict[str, Any]


def names(group: str) -> list[str]:
    return sorted(path.stem for path in (CONF_DIR / group).glob("*.yaml"))


# Files that others share are no studies themselves.
STUDIES = [name for name in names("sweeps") if name not in ("jobs", "study", "flame_nets")]
# Composing all rows takes its time; the demo editions have the same files of rows.
ALL_STUDIES = [
    pytest.param(name, marks=[pytest.mark.slow] if name.startswith("demo_table") else [])
    for name in STUDIES
]
RUN = "paths.run_dir=RUN"
ON_GAZEPOSE = ["model=gazepose", "data=ego4d"]


@cache
def config_of(*typed: str) -> Config:
    """The config of a command; composed once."""
    return composed("train", RUN, *typed)


def study_of(name: str) -> Config:
    text: Config = config_of(f"sweeps={name}")["study"]
    return text


def rows_of(name: str) -> dict[str, list[str]]:
    """What is typed with a study for one of its rows, by the row's name."""
    study = study_of(name)
    if study["nets"] is None:
        return {row: [f"ablations={row}"] for row in study["rows"]}
    pairs = product(study["data"], study["nets"])
    return {f"{net}_{data}": [f"model={net}", f"data={data}"] for data, net in pairs}


def row_configs(name: str) -> list[Config]:
    """The configs of a study's rows."""
    return [config_of(f"sweeps={name}", *typed) for typed in rows_of(name).values()]


@contextmanager
def running(*typed: str) -> Iterator[Config]:
    """Within it Hydra runs a job with these overrides, as it does in train.py."""
    with initialize_config_dir(str(CONF_DIR), version_base="1.3"):
        cfg = compose("train", overrides=[RUN, *typed], return_hydra_config=True)
        HydraConfig.instance().set_config(cfg)
        yield plain({key: cfg[key] for key in cfg if key != "hydra"})
    HydraConfig.instance().cfg = None
