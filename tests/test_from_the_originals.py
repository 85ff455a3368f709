"""docs/from_the_originals.md: every command composes, every option sets what it names."""

import importlib.util
import math
import re
import shlex
from pathlib import Path
from typing import NamedTuple

import pytest
from builders.small_lam_training import train_here as train_lam_here
from builders.small_lam_training import write_store
from builders.small_store import write_small_store
from builders.small_training import REPO_DIR, train_here
from hydra import compose, initialize_config_dir
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

from common.config import schema

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


COMMANDS = sorted({typed for row in rows() for typed in row.here if typed.startswith("python ")})
SETTINGS = sorted(
    {
        (row.laid_over, typed)
        for row in rows()
        for typed in row.here
        if row.laid_over and re.match(r"[\w./]+=", typed)
    }
)


def composed(command: str, *more: str):  # type: ignore[no-untyped-def]
    """The config of a command of one of the three scripts."""
    _, script, *words = shlex.split(command)
    schema.register()
    with initialize_config_dir(str(REPO_DIR / "conf"), version_base="1.3"):
        return compose(
            script.removesuffix(".py"), overrides=[*words, *more], return_hydra_config=True
        )


def test_every_option_of_the_originals_readmes_has_a_line() -> None:
    page = PAGE.read_text()
    parts = {"GazePose": page.partition("## FLAME")[0], "FLAME": page.partition("## FLAME")[2]}
    for name, options in OPTIONS.items():
        named = set(re.findall(r"--(\w+)", parts[name]))
        assert set(options.split()) - named == set()


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_composes(command: str) -> None:
    words = shlex.split(command)
    if words[1] == "-m":
        assert importlib.util.find_spec(f"{words[2]}.__main__")
    else:
        composed(command)


@pytest.mark.parametrize(("command", "setting"), SETTINGS)
def test_an_option_sets_what_it_names(command: str, setting: str) -> None:
    config = composed(command, setting)
    override = OverridesParser.create().parse_override(setting)
    HydraConfig.instance().set_config(config)
    key, value = override.get_key_element(), override.value()
    chosen = config.hydra.runtime.choices
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
