"""A whole training run in this process: seconds, where a script spends most on its imports."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig

from common.config import schema
from common.config.plain import plain
from common.runs.run import fit_and_test

REPO_DIR = Path(__file__).parents[2]
SMALL_NET = ["model.width=2", "model.hidden=8"]
SMALL_OPTIONS = [
    "data.datamodule.split=cross_person",
    "data.datamodule.split_fractions=[0.5,0.25,0.25]",
    "data.datamodule.num_workers=0",
    "data.datamodule.batch_size=4",
    *SMALL_NET,
    "model.learning_rate=0.01",
    "model.module.scheduler.milestones=[2,3]",
    "trainer.max_epochs=4",
    "trainer.enable_progress_bar=false",
    "trainer.accelerator=cpu",
]
SMALL_RUN = ["model=flame", "data=columbiagaze", *SMALL_OPTIONS]


# Once: it takes an eighth of a composition's time.
schema.register()


def composition(config_name: str, *overrides: str, with_hydra: bool = False) -> DictConfig:
    """Return a script's config as Hydra composes it, its own part with the rest if asked for."""
    with initialize_config_dir(str(REPO_DIR / "conf"), version_base="1.3"):
        return compose(config_name, overrides=list(overrides), return_hydra_config=with_hydra)


def composed(config_name: str, *overrides: str) -> dict[str, Any]:
    """Return a script's config as the script sees it."""
    return plain(composition(config_name, *overrides))


def small_config(store_dir: Path, run_dir: Path, *overrides: str) -> dict[str, Any]:
    """Return the config of a run on `small_store.write_small_store`'s store."""
    folders = [f"data.store_dir={store_dir}", f"paths.run_dir={run_dir}"]
    return composed("train", *SMALL_RUN, *folders, *overrides)


def train_here(store_dir: Path, run_dir: Path, *overrides: str) -> dict[str, float]:
    """Train in this process; return the metrics."""
    with one_thread():
        return fit_and_test(small_config(store_dir, run_dir, *overrides), {}, run_dir)


@contextmanager
def one_thread() -> Iterator[None]:
    """Compute on one thread: small nets gain nothing from more, and sums keep their order."""
    num_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(num_threads)
