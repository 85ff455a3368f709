"""What the benchmark of the nets measures; not how fast anything is."""

import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from builders.small_nets import small_gazelstm, small_gazepose


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "benchmarks"))
    monkeypatch.delitem(sys.modules, "bench_lam_nets", raising=False)
    import bench_lam_nets

    return bench_lam_nets


@pytest.mark.parametrize("make", [small_gazepose, small_gazelstm])
def test_both_ways_give_the_same_scores(bench: Any, make: Any) -> None:
    net = make()
    track = bench.Track(12, side=64)
    row = bench.bench_inference(type(net).__name__, net, track, 5, "cpu")
    assert "track of 12 frames" in row[0]
    assert "scores differ by" in row[2]


def test_a_training_step_moves_the_weights(bench: Any) -> None:
    net = small_gazelstm()
    before = net.last[0].weight.clone()
    bench.bench_step("GazeLSTM", net, 2, 1, "cpu")
    assert not torch.equal(net.last[0].weight, before)
