"""What ``preprocess.py`` does, whichever line the data set belongs to."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common.config.instantiate import build
from common.faces.mediapipe.model import keep_face_model

MODES = ("run", "check", "repair", "export", "split", "statistics")
# What is written to where only some modes write.
_PLACES = {"export_dir": ("export",), "export_file": ("split", "statistics")}


@dataclass(frozen=True)
class Outcome:
    """The report for a person, and whether groups could not be made or a check found errors."""

    report: str
    has_errors: bool


def prepare_store(config: Mapping[str, Any]) -> Outcome:
    """Make, check, repair or export a face store, or write the parts of its data as files.

    The config is the resolved one of preprocess.py, as plain values.

    Raises:
        ValueError: If the mode is unknown or not for these data, a folder it needs is not given,
            or the number of processes is negative.
    """
    mode, data = config["mode"], config["data"]
    if mode not in MODES:
        raise ValueError(f"mode is {mode!r}, expected one of {MODES}")
    for place, modes in _PLACES.items():
        if config[place] is not None and mode not in modes:
            raise ValueError(
                f"{place}={config[place]} is for mode={' or mode='.join(modes)}, got mode={mode}"
            )
    if data["preprocessor"] is None:
        raise ValueError(f"data={data['name']} makes no store: it reads another data set's")
    if mode == "export":
        return Outcome(_export(config), has_errors=False)
    if mode in ("split", "statistics"):
        return Outcome(_write_parts(config), has_errors=False)
    if data["raw_dir"] is None:
        raise ValueError(f"where is {data['name']}? Set data.raw_dir=FOLDER")
    if config["num_workers"] < 0:
        raise ValueError(
            f"num_workers is {config['num_workers']}, expected 0 (all in this process) or more; "
            "type e.g. num_workers=2"
        )
    keep_face_model(config["faces"]["model"])
    if data["raw_writer"] is not None:
        build(data["raw_writer"], num_workers=config["num_workers"])
    preprocessor = build(
        data["preprocessor"], shard=config["shard"], num_workers=config["num_workers"]
    )
    report = getattr(preprocessor, mode)()
    return Outcome(report.summary(), report.has_errors)


def _write_parts(config: Mapping[str, Any]) -> str:
    mode, data = config["mode"], config["data"]
    make = build(data["datamodule"], _partial_=True)
    if not hasattr(make.func, "write_split"):
        raise ValueError(
            f"mode={mode} is for gaze angles: the parts of data={data['name']} come from its raw "
            "folder, and nothing in it is scaled by ranges"
        )
    datamodule = make()
    write = {"split": datamodule.write_split, "statistics": datamodule.write_statistics}[mode]
    path = config["export_file"]
    return str(write(None if path is None else Path(path)))


def _export(config: Mapping[str, Any]) -> str:
    data = config["data"]
    # Only the store is read: neither raw data nor what reads them are needed.
    unread = {"reader": None} if "reader" in data["preprocessor"] else {}
    make = build(data["preprocessor"], _partial_=True, **unread)
    if not hasattr(make.func, "export"):
        raise ValueError(f"mode=export writes FLAME's folder layout; data={data['name']} has none")
    if config["export_dir"] is None:
        raise ValueError("where to? Set export_dir=FOLDER")
    store_dir, out_dir = Path(make.keywords["store_dir"]), Path(config["export_dir"])
    return str(make.func.export(store_dir, out_dir, heatmaps=config["export_heatmaps"]))
