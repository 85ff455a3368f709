"""Clips from worker processes, and in a resumed run: the same as here and in an unbroken one."""

import pickle
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from builders.small_lam_data import batches, module
from builders.small_trainer import small_trainer
from pytorch_lightning import LightningModule


@pytest.mark.parametrize("part", ["train", "val"])
def test_worker_processes_deliver_the_same_batches(lam_store: Path, part: str) -> None:
    settings = {"use_head": True, "use_landmarks": True, "dropout": {"kind": "gaussian"}}
    here, there = (
        list(getattr(module(lam_store, num_workers=num, **settings), f"{part}_dataloader")())
        for num in (0, 2)
    )
    for one, other in zip(here, there, strict=True):
        assert all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.timeout(60)
def test_workers_work_after_their_parent_used_opencvs_threads(lam_store: Path) -> None:
    cv2.setNumThreads(2)
    cv2.resize(np.zeros((2000, 2000, 3), np.uint8), (1500, 1500), interpolation=cv2.INTER_CUBIC)
    data = module(lam_store, num_workers=1, dropout={"kind": "gaussian"})
    assert len(batches(data.train_dataloader())["row"]) == 24


def test_what_travels_to_a_spawned_worker_is_arrays(lam_store: Path) -> None:
    dataset = module(lam_store, use_head=True, use_landmarks=True).train_dataloader().dataset
    copy = pickle.loads(pickle.dumps(dataset))
    one, other = dataset[0, 5], copy[0, 5]
    assert torch.equal(one["clip"], other["clip"])
    # 144 rows of about 130 bytes, the columns' names, paths.
    assert len(pickle.dumps(dataset)) < 144 * 130 + 6000


class Recorder(LightningModule):
    """Trains nothing and notes what it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.seen: dict[int, list[tuple[int, int]]] = {}

    def training_step(self, batch: Any, batch_idx: int) -> torch.Tensor:
        sums = batch["clip"].flatten(1).sum(1).tolist()
        pairs = list(zip(batch["row"].tolist(), sums, strict=True))
        self.seen.setdefault(self.current_epoch, []).extend(pairs)
        return self.weight.sum()

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)


def test_a_resumed_run_sees_the_clips_of_an_unbroken_one(lam_store: Path, tmp_path: Path) -> None:
    def trained(num_epochs: int, checkpoint: Path | None) -> Recorder:
        recorder = Recorder()
        trainer = small_trainer(tmp_path, max_epochs=num_epochs)
        data = module(lam_store, dropout={"kind": "gaussian"}, num_workers=1)
        trainer.fit(recorder, data, ckpt_path=checkpoint)
        trainer.save_checkpoint(tmp_path / f"{num_epochs}.ckpt")
        return recorder

    unbroken = trained(3, None)
    trained(1, None)
    resumed = trained(3, tmp_path / "1.ckpt")
    assert unbroken.seen[0] != unbroken.seen[1]
    assert resumed.seen == {epoch: unbroken.seen[epoch] for epoch in (1, 2)}
