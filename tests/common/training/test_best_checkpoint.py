import logging
from collections.abc import Sequence
from math import nan
from pathlib import Path

import pytest
import torch
from builders.scored import fit_scored
from pytorch_lightning.callbacks import ModelCheckpoint

from common.training.best_checkpoint import BestCheckpoint


def best_of(scores: Sequence[float], folder: Path) -> BestCheckpoint:
    best = BestCheckpoint(folder, filename="best", monitor="score", mode="max")
    fit_scored(scores, [best])
    return best


@pytest.mark.parametrize(("scores", "best"), [([nan, 0.2, 0.5, 0.4], 0.5), ([0.2, nan], 0.2)])
def test_of_finite_scores_the_best_is_kept(
    scores: list[float], best: float, tmp_path: Path
) -> None:
    found = best_of(scores, tmp_path)
    assert float(found.best_model_score or 0) == pytest.approx(best)
    epoch = torch.load(found.best_model_path, weights_only=True)["epoch"]
    assert scores[epoch] == best


def test_a_run_begun_with_lightnings_own_checkpoints_goes_on(tmp_path: Path) -> None:
    own, lightnings = (
        kind(dirpath=tmp_path, monitor="score", mode="max")
        for kind in (BestCheckpoint, ModelCheckpoint)
    )
    assert own.state_key == lightnings.state_key


def test_where_no_score_is_finite_there_is_none(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        found = best_of([nan, nan], tmp_path)
    assert (found.best_model_path, found.best_model_score) == ("", None)
    assert list(tmp_path.iterdir()) == []
    assert "score" in caplog.text
