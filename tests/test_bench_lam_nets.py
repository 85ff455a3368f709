"""What the benchmark of the nets measures; not how fast anything is."""

from typing import Any

import pytest
import torch
from builders.benchmarks import benchmark
from builders.small_nets import small_gazelstm, small_gazepose


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Any:
    return benchmark(monkeypatch, "bench_lam_nets")


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
