"""The tree of FLAME's README, from raw to a tested net, as a user types it."""

import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from builders.flame_tree import write_flame_tree
from builders.small_training import REPO_DIR, SMALL_NET
from builders.train_script import train_script_here

LAYOUT = ["data=flame_layout", "data.name=mine"]
# A tiny net on this machine's CPU; nothing that the data need.
SMALL = [
    *SMALL_NET,
    *("trainer.max_epochs=1", "trainer.accelerator=cpu", "trainer.enable_progress_bar=false"),
    "data.datamodule.num_workers=0",
]
Typed = Callable[..., None]


@pytest.fixture
def typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Typed:
    """Run a script in the folder in which the tree is, and expect its success."""
    monkeypatch.chdir(tmp_path)

    def run(script: str, *words: str) -> None:
        with train_script_here(monkeypatch, REPO_DIR / f"{script}.py") as here:
            assert here(*words) == 0

    return run


def test_one_preprocess_and_one_train_command_go_from_raw_to_a_tested_net(
    typed: Typed, tmp_path: Path
) -> None:
    write_flame_tree(tmp_path / "tree")
    typed("preprocess", *LAYOUT, "data.raw_dir=tree", "num_workers=0")
    typed("train", "model=flame", *LAYOUT, *SMALL)

    (run_dir,) = (tmp_path / "runs").iterdir()
    snapshot = json.loads((run_dir / "run.json").read_text())
    assert snapshot["status"] == "finished"
    assert snapshot["data"]["num_samples"] == {"train": 16, "val": 4, "test": 4}
    table = pl.read_csv(next(run_dir.rglob("mine_mine_mmtm-fusion.csv")))
    assert {"yaw_p", "pitch_p", "yaw_t", "pitch_t", "loss_3d", "error_y", "error_p"} <= {
        *table.columns
    }
    error_deg = snapshot["metrics"]["test/angular_error_deg"]
    assert table["loss_3d"].mean() == pytest.approx(error_deg, abs=1e-3)

    # With the original's files of its run, its split and its ranges, the test is the same.
    typed("predict", f"run={run_dir}", "export=mine.pth")
    for mode in ("split", "statistics"):
        typed("preprocess", *LAYOUT, f"mode={mode}", f"export_file={mode}.pkl")
    files = ["data.datamodule.split=split.pkl", "statistics=statistics.pkl"]
    original = ["model=flame", "checkpoint=mine.pth", *SMALL_NET, *LAYOUT, "split=test", *files]
    typed("predict", *original, "data.datamodule.num_workers=0", "output_dir=again")
    again = pl.read_csv(tmp_path / "again" / "statistics_mine_mmtm-fusion.csv")
    assert again["loss_3d"].to_list() == pytest.approx(table["loss_3d"].to_list(), abs=1e-4)
