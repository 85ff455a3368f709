"""What ``train.py replay=RUN`` makes of a run's record before anything is built."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from builders.hostile_configs import write_run
from builders.small_training import composed
from common.runs.admission import check_recorded, parts_of_prediction, parts_of_run
from common.runs.replay import replayed_config


@cache
def asked(script: str) -> dict[str, Any]:
    """The config of a script of which nothing but a run is asked."""
    return composed(script, "paths.run_dir=NEW", *(["replay=x"] if script == "replay" else []))


def replayed(run: Path, *, new_dir: str = "NEW", trusted: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return the config that runs a run again."""
    config = asked("replay")
    paths = {**config["paths"], "run_dir": new_dir}
    return replayed_config({**config, "replay": str(run), "trusted": [*trusted], "paths": paths})


def assert_replayed(config: dict[str, Any], folder: Path) -> None:
    """A recorded config is replayed as it was, and may be built for a prediction."""
    run = write_run(folder / "run", config)
    again = replayed(run, new_dir=str(folder / "new"))
    assert parts_of_run(again).keys() == parts_of_run(config).keys()
    moved = json.loads(json.dumps(config).replace('"RUN', f'"{folder}/new'))
    assert {key: again[key] for key in ("model", "data", "callbacks", "logger")} == {
        key: moved[key] for key in ("model", "data", "callbacks", "logger")
    }
    parts = parts_of_prediction(config, run)
    check_recorded(run, config, parts, trusted=(), writes_to=run)
