"""FLAME's training in two processes, step by step beside the one in one process."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from builders.several_processes import TRAIN, assert_same_log, logged, run, snapshot
from builders.small_store import write_small_store
from builders.small_training import SMALL_RUN

# Batch norms keep their statistics, and every step notes its samples and its part of the loss.
NOTING = """
import json
import torch
from flame.training.module import GazeAngleModule
plain_step = GazeAngleModule.training_step
def step(self, batch, number):
    for part in self.net.modules():
        if isinstance(part, torch.nn.BatchNorm2d):
            part.eval()
    loss = plain_step(self, batch, number)
    keys = list(zip(batch["row"].tolist(), batch["eye"].tolist()))
    with open(f"{{self.trainer.default_root_dir}}/steps_{{self.global_rank}}.jsonl", "a") as file:
        file.write(json.dumps({{"keys": keys, "loss": loss.item()}}) + "\\n")
    return loss
GazeAngleModule.training_step = step
# As this script, so that Lightning starts it again as the second process.
exec(compile(open({train!r}).read(), {train!r}, "exec"))
"""
# 18 faces to train on and 9 to validate: the last batches are of two samples and of one.
SETTINGS = [
    *[override for override in SMALL_RUN if "accelerator" not in override],
    "model.dropout=0.0",
    "model.learning_rate=0.001",
    "trainer.max_epochs=2",
    "data.datamodule.drop_last=false",
    "data.datamodule.eval_batch_size=8",
]


@pytest.mark.slow
def test_every_step_has_the_samples_and_the_loss_of_one_process(tmp_path: Path) -> None:
    write_small_store(tmp_path / "store", num_faces=9)
    script = tmp_path / "noting.py"
    script.write_text(NOTING.format(train=TRAIN[1]))
    for name, trainer in (("alone", "trainer.accelerator=cpu"), ("together", "trainer=ddp_cpu")):
        folders = [f"data.store_dir={tmp_path / 'store'}", f"hydra.run.dir={tmp_path / name}"]
        run([sys.executable, str(script), *SETTINGS, trainer, *folders], tmp_path)
    alone, *together = (
        steps(tmp_path / name, rank)
        for name, rank in (("alone", 0), ("together", 0), ("together", 1))
    )
    assert [len(step["keys"]) for step in alone] == 2 * [4, 4, 4, 4, 2]
    for step, *parts in zip(alone, *together, strict=True):
        assert sorted(key for part in parts for key in part["keys"]) == sorted(step["keys"])
        mean = sum(part["loss"] for part in parts) / 2
        assert mean == pytest.approx(step["loss"], rel=1e-5)
    assert snapshot(tmp_path / "together")["data"]["num_samples"]["val"] == 9
    assert_same_log(logged(tmp_path / "together"), logged(tmp_path / "alone"))


def steps(run_dir: Path, rank: int) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run_dir / f"steps_{rank}.jsonl").read_text().splitlines()]
