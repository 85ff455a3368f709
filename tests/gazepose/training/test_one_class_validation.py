"""Validation of which the metric is not defined: no weights are the best ones."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builders.small_lam import finish_store, small_row, write_clip, write_small_lam
from builders.small_lam_training import predict_here, train_here


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run whose validation has no positive clip."""
    folder = tmp_path_factory.mktemp("one_class")
    write_small_lam(folder / "store", clips={"train": 2}, num_frames=8)
    generator = np.random.default_rng(1)
    rows = [small_row(generator, "val", "track0", index, index, label=0) for index in range(8)]
    write_clip(folder / "store", "val0", rows)
    finish_store(folder / "store")
    train_here("gazelstm", folder / "store", folder / "run", "trainer.max_epochs=1")
    return folder / "run"


def refuse(name: str) -> Any:
    raise AssertionError(f"{name} is no JSON")


def test_there_is_no_best_and_the_record_is_json(run_dir: Path) -> None:
    assert [path.name for path in (run_dir / "checkpoints").iterdir()] == ["last.ckpt"]
    content = json.loads((run_dir / "run.json").read_text(), parse_constant=refuse)
    assert content["status"] == "finished"
    assert "best_val/map" not in content["metrics"]
    assert content["metrics"]["val/map"] is None
    assert np.isfinite(content["metrics"]["val/loss"])


def test_the_last_weights_are_tested(run_dir: Path) -> None:
    predict_here(
        f"run={run_dir}", f"checkpoint={run_dir / 'checkpoints' / 'last.ckpt'}", "split=val"
    )
    predict_here(f"run={run_dir}", "split=val", f"output_dir={run_dir / 'by_default'}")
    folders = [run_dir / name for name in ("test", "predict/ego4d_val", "by_default")]
    tested, asked, default = (next(one.glob("*_pred.csv")).read_bytes() for one in folders)
    assert tested == asked == default
