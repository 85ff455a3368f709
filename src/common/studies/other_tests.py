"""Tests of a trained run on further data sets, as ``predict.py run=RUN data=NAME`` does them."""

from pathlib import Path
from typing import Any

from hydra import compose
from omegaconf import open_dict

from common.config.checks import check_conventions, check_line
from common.config.instantiate import calls
from common.config.plain import Config, plain
from common.prediction.command import predict
from common.runs.run import build_data


def missing_tests(run_dir: Path, config: Config) -> list[str]:
    """Return the further data sets that a run's config asks for and it has no test on yet."""
    own = config["data"]["name"]
    asked = [name for name in config["also_test"] if name != own] if config["test"] else []
    return [name for name in asked if not any(_output_dir(run_dir, name).glob("*.json"))]


def check_other_tests(run_dir: Path, config: Config) -> None:
    """Refuse, before the training, a data set that the run could not be tested on after it."""
    for name in missing_tests(run_dir, config):
        other = _command(config, run_dir, name)["data"]
        check_line(config["model"], other)
        own, tested = (
            build_data({**config, "data": data}).fingerprint() for data in (config["data"], other)
        )
        check_conventions(own, tested, config["allow_other_convention"])


def run_other_tests(run_dir: Path, config: Config) -> list[str]:
    """Test a finished run on the further data sets it has no test on yet; return what was said.

    Results go to ``predict/NAME_test`` in the run's folder.
    """
    return [predict(_command(config, run_dir, name)) for name in missing_tests(run_dir, config)]


def _output_dir(run_dir: Path, name: str) -> Path:
    return run_dir / "predict" / f"{name}_test"


def _command(config: Config, run_dir: Path, name: str) -> dict[str, Any]:
    """Return the config of ``predict.py run=RUN split=test data=NAME``; Hydra must be running."""
    cfg = compose("predict", overrides=[f"data={name}"])
    said = {
        "run": str(run_dir),
        "split": "test",
        "output_dir": str(_output_dir(run_dir, name)),
        "allow_other_convention": config["allow_other_convention"],
        # It was trained just now, by this very config.
        "trusted": sorted({call["_target_"] for _, call in calls(config)}),
        "paths": config["paths"],
    }
    with open_dict(cfg):
        cfg.merge_with(said)
    return plain(cfg)
