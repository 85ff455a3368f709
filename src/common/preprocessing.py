"""What ``preprocess.py`` does, whichever line the data set belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from common.instantiate import build

MODES = ("run", "check", "export")


def prepare_store(config: Mapping[str, Any]) -> str:
    """Make, check or export a face store.

    Args:
        config: the resolved preprocess config as plain values.

    Returns:
        The report, as a person reads it.

    Raises:
        ValueError: If the mode is unknown or a folder it needs is not given.
    """
    mode, data = config["mode"], config["data"]
    if mode not in MODES:
        raise ValueError(f"mode is {mode!r}, expected one of {MODES}")
    if data["preprocessor"] is None:
        raise ValueError(f"data={data['name']} makes no store: it reads another data set's")
    if mode == "export":
        # Only the store is read: neither raw data nor what reads them are needed.
        exporter = build(data["preprocessor"], reader=None)
        return str(exporter.export(_export_dir(config)))
    if data["raw_dir"] is None:
        raise ValueError(f"where is {data['name']}? Set data.raw_dir=FOLDER")
    if data["raw_writer"] is not None:
        build(data["raw_writer"], num_workers=config["num_workers"])
    preprocessor = build(
        data["preprocessor"], shard=config["shard"], num_workers=config["num_workers"]
    )
    report = preprocessor.check() if mode == "check" else preprocessor.run()
    return str(report.summary())


def _export_dir(config: Mapping[str, Any]) -> Path:
    if config["export_dir"] is None:
        raise ValueError("where to? Set export_dir=FOLDER")
    return Path(config["export_dir"])
