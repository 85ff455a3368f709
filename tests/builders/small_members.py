"""Runs with small predictions, as an ensemble reads them."""

from pathlib import Path
from typing import Any

import polars as pl

from builders.small_predictions import small_predictions
from gazepose.ensembling.members import Members, find_predictions, read_members
from gazepose.evaluation.predictions import write_predictions

PROTOCOL = {
    **{"landmark_source": "mesh", "head_pose_source": "mesh", "dropout": "none", "stride": 1},
    **{"flip_average": False, "precision": "32-true", "smoothing": None},
}


def write_run(
    folder: Path, predictions: pl.DataFrame, model: str, where: str = "test", **conditions: Any
) -> Path:
    """Write what an ensemble reads of a test's files; return the run."""
    described = {"model": model, "trained_on": "demo", "tested_on": "demo"}
    described |= {"stride": 1, "protocol": PROTOCOL | conditions}
    path = folder / where / f"demo_demo_{model}_predictions.parquet"
    write_predictions(predictions, described, path)
    return folder


def three_runs(folder: Path) -> list[Path]:
    """Three runs on the same clips, two of which find out something and the last nothing."""
    return [
        write_run(folder / name, small_predictions(6, seed, skill), name)
        for seed, (name, skill) in enumerate((("a", 0.3), ("b", 0.3), ("blind", 0.0)))
    ]


def members_of(runs: list[Path]) -> Members:
    """Read the only predictions of each run."""
    return read_members([find_predictions(run, None) for run in runs])
