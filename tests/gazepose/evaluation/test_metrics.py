"""The metric of training: one number whatever the batches, their order and the processes."""

import json
import logging
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.multiprocessing as mp
from builders.brute_precision import mean_precision
from builders.metric_processes import SHARES, compute_in_process, sample

from common.evaluation.scores import confusion_matrix, describe_scores
from gazepose.evaluation.metrics import LamAveragePrecision


def brute(scores: torch.Tensor, labels: torch.Tensor) -> float:
    return mean_precision(scores.double().tolist(), labels.tolist())


def test_the_metric_is_the_official_number_whatever_the_batches() -> None:
    scores, labels = sample(0, 97)
    metric = LamAveragePrecision()
    for start in range(0, 97, 10):
        metric.update(scores[start : start + 10], labels[start : start + 10])
    assert float(metric.compute()) == pytest.approx(brute(scores, labels), abs=1e-6)


def test_the_order_of_samples_does_not_matter() -> None:
    scores, labels = sample(1, 300)
    values = set()
    for seed in range(4):
        order = torch.randperm(300, generator=torch.Generator().manual_seed(seed))
        metric = LamAveragePrecision()
        metric.update(scores[order], labels[order])
        values.add(float(metric.compute()))
    assert len(values) == 1


def test_reset_forgets() -> None:
    metric = LamAveragePrecision()
    metric.update(*sample(0, 30))
    metric.reset()
    assert [len(values) for values in metric.known_samples()] == [0, 0]
    metric.update(torch.tensor([0.9, 0.1]), torch.tensor([1, 0]))
    assert float(metric.compute()) == 1


def test_unknown_labels_are_left_out() -> None:
    scores, labels = sample(2, 60)
    metric = LamAveragePrecision()
    metric.update(torch.cat([scores, torch.rand(9)]), torch.cat([labels, torch.full((9,), -1)]))
    assert float(metric.compute()) == pytest.approx(brute(scores, labels), abs=1e-6)


def test_low_precision_scores_will_do() -> None:
    metric = LamAveragePrecision()
    metric.update(torch.tensor([0.9, 0.1], dtype=torch.bfloat16), torch.tensor([1, 0]))
    assert metric.compute().dtype == torch.float32


@pytest.mark.parametrize(
    ("scores", "labels", "reason"),
    [
        ([0.2, 0.3], [0, 0], "nobody"),
        ([0.2, 0.3], [1, 1], "everybody"),
        ([0.2, 0.3], [-1, -1], "no sample"),
        ([0.2, float("nan")], [0, 1], "1 of 2"),
    ],
)
def test_without_both_classes_it_is_nan_and_says_why(
    scores: list[float], labels: list[int], reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    metric = LamAveragePrecision()
    metric.update(torch.tensor(scores), torch.tensor(labels))
    with caplog.at_level(logging.WARNING, logger="gazepose.evaluation.metrics"):
        assert metric.compute().isnan()
    assert reason in caplog.text


@pytest.mark.timeout(300)
def test_it_is_exact_over_processes_whatever_their_shares(tmp_path: Path) -> None:
    mp.spawn(compute_in_process, args=(str(tmp_path),), nprocs=2)
    expected = LamAveragePrecision()
    expected.update(*sample(5, 100))
    for rank in range(2):
        values = json.loads((tmp_path / f"{rank}.json").read_text())
        assert values == [float(expected.compute())] * len(SHARES)


def test_accuracy_and_confusion_count_decisions_at_one_half() -> None:
    scores = np.array([0.5, 0.4999, 0.9, 0.1, 0.7])
    labels = np.array([1, 1, 0, 0, 1])
    assert confusion_matrix(scores, labels) == [[1, 1], [1, 2]]
    described = describe_scores(scores, labels)
    assert described["accuracy"] == 3 / 5
    assert described["map"] == (described["ap_lam"] + described["ap_not_lam"]) / 2


def test_nothing_to_describe_is_an_error() -> None:
    with pytest.raises(ValueError, match="no sample"):
        describe_scores(np.array([]), np.array([], dtype=int))
