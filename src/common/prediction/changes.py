"""What a command changes of a run's settings, and the folder that is named after it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from common.config.checks import check_file_name
from common.config.plain import Config
from common.files.atomic import remove_leftovers

# The same store at another place is no other test.
_PLACE = "store_dir"


def other_dropout(config: Config) -> dict[str, Any]:
    """Return the dropout a net is asked with, where the command says another than its own."""
    has_own = config["run"] is not None or config["onnx"] is not None
    if not has_own or config["dropout"] is None:
        return {}
    return {"dropout": config["dropout"]}


def output_dir(config: Config, folder: Path, name: str) -> Path:
    """Return the folder for what a command writes, without what killed processes left in it.

    Args:
        config: the command's.
        folder: of the net that is asked.
        name: what it is asked about.

    Raises:
        ValueError: If the name leads elsewhere.
    """
    if config["output_dir"] is not None:
        found = Path(config["output_dir"])
    else:
        name = "_".join([name.replace("*", "all"), *_changes(config)])
        check_file_name(name)
        found = folder / "predict" / name
    remove_leftovers(found)
    return found


def _changes(config: Config) -> list[str]:
    """Return what the command changes of a run's test, as words of a folder's name."""
    dropout = other_dropout(config).get("dropout", {})
    groups = {name: config[name] for name in ("datamodule", "results", "module")}
    groups["precision"] = config["trainer"]["precision"] or {}
    samples, file = (config["calibration"][name] for name in ("samples", "file"))
    groups["calibration"] = samples or (Path(file).stem if file else {})
    return _words({"dropout": dropout.get("kind", {}), **groups})


def _words(values: Config) -> list[str]:
    words = []
    for key, value in values.items():
        if key == _PLACE:
            continue
        nested = _words(value) if isinstance(value, Mapping) else [str(value).replace("/", "_")]
        words += [f"{key}-{'-'.join(nested)}"] if nested else []
    return words
