"""What gaze pretraining starts from, as a user types it; of eye contact: training/test_module."""

from pathlib import Path
from typing import Any

import pytest
import torch
from builders.small_gaze import write_small_gaze
from builders.small_lam_training import predict_here
from builders.small_training import composed, one_thread

from common.runs.run import fit_and_test
from common.training.checkpoints.reading import read_checkpoint
from gazepose import load_net
from gazepose.nets.backbones import resnet18
from gazepose.nets.gaze360 import Gaze360
from gazepose.originals.weights import original_state_dict

SIZES: dict[str, Any] = {"embedding": 8, "lstm_hidden": 8}
TYPED = [
    "model=gaze360",
    "data=gaze_faces",
    "data.name=columbiagaze",
    "data.datamodule.val_fraction=0.25",
    "data.datamodule.num_workers=0",
    "model.image_size=32",
    "model.backbone.width=4",
    "model.embedding=8",
    "model.lstm_hidden=8",
    "model.learning_rate=0.0",
    "trainer.max_epochs=1",
    "trainer.accelerator=cpu",
    "trainer.enable_progress_bar=false",
    "test=false",
    "callbacks.pictures=null",
]


@pytest.fixture(scope="module")
def store_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("start") / "store"
    write_small_gaze(folder)
    return folder


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file as Gaze360's authors publish it."""
    torch.manual_seed(1)
    path = tmp_path_factory.mktemp("published") / "gaze360_model.pth.tar"
    state = original_state_dict(Gaze360(resnet18(4), **SIZES))
    torch.save({"state_dict": {f"module.{key}": value for key, value in state.items()}}, path)
    return path


def pretrained(store_dir: Path, run_dir: Path, *typed: str) -> dict[str, torch.Tensor]:
    """Train at rate 0; return the net's weights."""
    folders = [f"data.store_dir={store_dir}", f"paths.run_dir={run_dir}"]
    with one_thread():
        fit_and_test(composed("train", *TYPED, *folders, *typed), {}, run_dir)
    state = read_checkpoint(run_dir / "checkpoints" / "last.ckpt")["state_dict"]
    return {key.removeprefix("net."): value for key, value in state.items() if "net." in key}


@pytest.mark.parametrize("part", ["backbone", "all"])
def test_gaze_pretraining_starts_from_gaze360s_file(
    store_dir: Path, published: Path, tmp_path: Path, part: str
) -> None:
    run_dir = tmp_path / "run"
    typed = [f"model.init_checkpoint={published}", f"model.init_part={part}"]
    found = pretrained(store_dir, run_dir, *typed)
    content = torch.load(published, weights_only=True)["state_dict"]
    theirs = dict(load_net("gaze360", content).named_parameters())
    for name, value in theirs.items():
        is_taken = part == "all" or not name.startswith("last.")
        assert torch.equal(found[name], value) == is_taken, name
    # What comes of it is to start from, not to test.
    with pytest.raises(ValueError, match=r"best\.ckpt.*gaze360.*model\.init_checkpoint="):
        predict_here(f"run={run_dir}", "split=val")
