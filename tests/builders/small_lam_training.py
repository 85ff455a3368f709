"""A whole eye-contact training in this process, on a small store with narrow nets."""

from pathlib import Path

import numpy as np

from builders.small_lam import finish_store, small_row, write_clip, write_small_lam
from builders.small_training import composed, one_thread
from common.prediction.command import predict
from common.runs.run import fit_and_test

_SIZES = [
    "model.image_size=32",
    "model.backbone.width=4",
    "model.embedding=16",
    "model.lstm_hidden=16",
    "+model.net.embedding_hidden=16",
]
_TRANSFORMER = [
    "model.transformer.width=16",
    "model.transformer.heads=2",
    "model.transformer.feedforward=24",
    "model.transformer.num_encoder_layers=1",
    "model.transformer.num_decoder_layers=1",
]
SMALL_NETS = {
    "gazelstm": ["model=gazelstm", *_SIZES],
    "gazepose": ["model=gazepose", *_SIZES, *_TRANSFORMER],
}
SMALL_DATA = [
    "data=ego4d",
    "data.datamodule.batch_size=8",
    "data.datamodule.eval_batch_size=16",
    "data.datamodule.train_stride=2",
    "data.datamodule.val_stride=2",
    "data.datamodule.num_workers=0",
]
NUM_FRAMES = 24
"""Of each track."""
SMALL_TRAINING = [
    "model.learning_rate=0.005",
    "trainer.max_epochs=3",
    "trainer.enable_progress_bar=false",
    "trainer.accelerator=cpu",
]


def write_store(store_dir: Path) -> None:
    """Write the store that these trainings go over; its test part has ids and no labels."""
    write_small_lam(store_dir, clips={"train": 4, "val": 2}, num_frames=NUM_FRAMES)
    generator = np.random.default_rng(1)
    rows = [
        small_row(generator, "test", f"track{track}", index, index, unique_id=f"{track}-{index:05}")
        for track in range(2)
        for index in range(NUM_FRAMES)
    ]
    write_clip(store_dir, "test0", rows)
    finish_store(store_dir)


def overrides_of(model: str, store_dir: Path) -> list[str]:
    """Return what a user types to train `model` there."""
    return [*SMALL_NETS[model], *SMALL_DATA, *SMALL_TRAINING, f"data.store_dir={store_dir}"]


def train_here(model: str, store_dir: Path, run_dir: Path, *overrides: str) -> dict[str, float]:
    """Train in this process; return the metrics."""
    typed = [*overrides_of(model, store_dir), f"paths.run_dir={run_dir}", *overrides]
    with one_thread():
        return fit_and_test(composed("train", *typed), {}, run_dir)


def predict_here(*overrides: str) -> str:
    """Do what ``predict.py`` would; return what it says."""
    with one_thread():
        return predict(composed("predict", "paths.run_dir=x", *overrides))


def metrics_said(said: str) -> dict[str, float]:
    """Return the metrics of what ``predict.py`` says."""
    words = (entry.split() for entry in said.split(" -> ")[0].split(", "))
    return {name: float(value) for name, value in words}
