"""trainer.precision=64-true: the net sees its own precision."""

from pathlib import Path

import pytest
import torch
from builders.small_training import train_here

from common.training.checkpoints.reading import read_checkpoint


@pytest.mark.parametrize("model", [pytest.param("flame", marks=pytest.mark.slow), "flame_b"])
def test_float64_is_trained_and_tested_with(model: str, store_dir: Path, tmp_path: Path) -> None:
    typed = [f"model={model}", "trainer.max_epochs=1", "model.learning_rate=1e-5"]
    typed += ["callbacks.pictures=null"]
    double, single = (
        train_here(store_dir, tmp_path / name, *typed, f"trainer.precision={name}")
        for name in ("64-true", "32-true")
    )
    assert double == pytest.approx(single, abs=1e-3)
    state = read_checkpoint(tmp_path / "64-true" / "checkpoints" / "last.ckpt")["state_dict"]
    weights = {value.dtype for key, value in state.items() if key.endswith("weight")}
    assert weights == {torch.float64}
