"""trainer.precision: float64 is trained with, half precision without float32 weights refused."""

from pathlib import Path

import pytest
import torch
from builders.small_lam_training import train_here

from common.config.checks import check_precision
from common.training.checkpoints.reading import read_checkpoint


@pytest.mark.usefixtures("_undrawn")
@pytest.mark.parametrize("model", [pytest.param("gazelstm", marks=pytest.mark.slow), "gazepose"])
def test_float64_is_trained_and_tested_with(
    model: str, training_store: Path, tmp_path: Path
) -> None:
    # Few small steps, in which rounding cannot grow into another net.
    typed = ["trainer.max_epochs=1", "model.learning_rate=1e-5", "+trainer.limit_train_batches=1"]
    typed += ["callbacks.pictures=null"]
    double, single = (
        train_here(model, training_store, tmp_path / name, *typed, f"trainer.precision={name}")
        for name in ("64-true", "32-true")
    )
    assert double == pytest.approx(single, abs=1e-3)
    state = read_checkpoint(tmp_path / "64-true" / "checkpoints" / "last.ckpt")["state_dict"]
    weights = {value.dtype for key, value in state.items() if key.endswith("weight")}
    assert weights == {torch.float64}


def test_what_rounds_the_batch_is_refused(training_store: Path, tmp_path: Path) -> None:
    typed = "trainer.precision=bf16-true"
    with pytest.raises(ValueError, match=r"=bf16-true .*trainer\.precision=bf16-mixed"):
        train_here("gazelstm", training_store, tmp_path, typed)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ValueError, match=r"=16-true .*trainer\.precision=16-mixed"):
        check_precision({"precision": "16-true"})


def test_other_precisions_pass() -> None:
    for precision in ("32-true", "64-true", "16-mixed", "bf16-mixed", 32):
        check_precision({"precision": precision})
