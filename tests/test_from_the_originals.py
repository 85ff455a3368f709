"""docs/from_the_originals.md: every option of the originals is there and sets what it names."""

import math
import re
import shlex
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import pytest
from builders.small_lam_training import train_here as train_lam_here
from builders.small_lam_training import write_store
from builders.small_store import write_small_store
from builders.small_training import REPO_DIR, composition, train_here
from builders.train_configs import CONF_DIR
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

PAGE = REPO_DIR / "docs" / "from_the_originals.md"
OPTIONS = {
    "GazePose": (
        "Gaussiandrop mesh prior_head prior_landmark backbone split dsplit batch_size lr "
        "checkpoint val_stride train_stride model num_workers train_path exp_path val eval"
    ),
    "FLAME": (
        "get_heatmap dataset split_data split_nature data get_data_stats train test test_data "
        "load_checkpoint"
    ),
}


class Row(NamedTuple):
    """A line of a table: what the original has, and what is typed here."""

    original: str
    here: list[str]
    laid_over: str | None


def rows() -> list[Row]:
    """The lines of all tables; `laid_over` is the command that a table's options go with."""
    found: list[Row] = []
    base = None
    for line in PAGE.read_text().splitlines():
        if line.startswith("#"):
            base = None
        if match := re.fullmatch(r"Laid over `([^`]+)`:", line):
            base = match[1]
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if line.startswith("|") and len(cells) == 2 and not line.startswith("|--"):
            found.append(Row(cells[0], re.findall(r"`([^`]+)`", cells[1]), base))
    return found


SETTINGS = sorted(
    {
        (row.laid_over, typed)
        for row in rows()
        for typed in row.here
        if row.laid_over and re.match(r"[\w./]+=", typed)
    }
)


def together() -> list[tuple[str, list[str]]]:
    """What is composed: a command with each of its choices of configs, and with all its values."""
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for command, setting in SETTINGS:
        is_choice = (CONF_DIR / setting.partition("=")[0]).is_dir()
        found[command, setting if is_choice else ""].append(setting)
    return [(command, settings) for (command, _), settings in found.items()]


def test_every_option_of_the_originals_readmes_has_a_line() -> None:
    page = PAGE.read_text()
    parts = {"GazePose": page.partition("## FLAME")[0], "FLAME": page.partition("## FLAME")[2]}
    for name, options in OPTIONS.items():
        named = set(re.findall(r"--(\w+)", parts[name]))
        assert set(options.split()) - named == set()


@pytest.mark.parametrize(("command", "settings"), together())
def test_options_set_what_they_name(command: str, settings: list[str]) -> None:
    config = composition("train", *shlex.split(command)[2:], *settings, with_hydra=True)
    HydraConfig.instance().set_config(config)
    chosen = config.hydra.runtime.choices
    for override in OverridesParser.create().parse_overrides(settings):
        key, value = override.get_key_element(), override.value()
        assert (chosen[key] if key in chosen else OmegaConf.select(config, key)) == value


# Composed only: they name files or GPUs that are not here, or take hours.
_NOT_RUN = (
    *("model.init_checkpoint=", "data.datamodule.split=", "data.datamodule.statistics="),
    *("hydra.run.dir=", "trainer=ddp", "trainer.max_epochs="),
)
RUN = [(command, typed) for command, typed in SETTINGS if not typed.startswith(_NOT_RUN)]


@pytest.mark.slow
@pytest.mark.parametrize(("command", "setting"), RUN)
def test_an_option_trains(command: str, setting: str, tmp_path: Path) -> None:
    store_dir, run_dir = tmp_path / "store", tmp_path / "run"
    if "model=gazepose" in command:
        write_store(store_dir)
        net = "gazelstm" if setting == "model=gazelstm" else "gazepose"
        metrics = train_lam_here(net, store_dir, run_dir, "trainer.max_epochs=1", setting)
    else:
        write_small_store(store_dir)
        metrics = train_here(store_dir, run_dir, "trainer.max_epochs=1", setting)
    assert math.isfinite(metrics["train/loss"])
