"""The metric in several processes; a module of its own, for spawned processes to import by name."""

import json
from pathlib import Path

import torch
import torch.distributed as dist

from gazepose.evaluation.metrics import LamAveragePrecision


def sample(seed: int, num: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Scores, half of them tied, and labels; a third of them positive."""
    generator = torch.Generator().manual_seed(seed)
    scores = torch.rand(num, generator=generator)
    scores[::2] = (scores[::2] * 8).round() / 8
    return scores, (torch.rand(num, generator=generator) < 0.3).long()


SHARES = [[50, 50], [3, 97], [100, 0]]


def compute_in_process(rank: int, folder: str) -> None:
    """Compute on this process' share of every way to share."""
    dist.init_process_group(
        "gloo", init_method=f"file://{folder}/rendezvous", rank=rank, world_size=2
    )
    values = []
    for shares in SHARES:
        metric = LamAveragePrecision()
        scores, labels = sample(5, 100)
        first = sum(shares[:rank])
        mine = slice(first, first + shares[rank])
        if shares[rank]:
            metric.update(scores[mine], labels[mine])
        assert len(metric.known_samples()[0]) == 100
        values.append(float(metric.compute()))
    Path(folder, f"{rank}.json").write_text(json.dumps(values))
    dist.destroy_process_group()
