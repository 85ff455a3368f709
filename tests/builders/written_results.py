"""What a test of eye contact wrote to its folder."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest


def summary_of(folder: Path) -> dict[str, Any]:
    """Return the numbers of the only test there."""
    (path,) = folder.glob("*.json")
    return dict(json.loads(path.read_text()))


def scores_of(folder: Path) -> np.ndarray:
    """Return the scores of the only test there."""
    (path,) = folder.glob("*_predictions.parquet")
    return pl.read_parquet(path)["score"].to_numpy()


@contextmanager
def undrawn() -> Iterator[None]:
    """Leave out the figure: drawing it takes longer than a small test."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gazepose.evaluation.files.save_score_figure", lambda *_, **__: None)
        yield
