"""Weights from before PyTorch 0.4.1, whose batch norms do not count batches."""

import logging
from pathlib import Path
from typing import Any

import pytest
import torch
from builders.small_hopenet import published_state
from builders.small_nets import small_gaze360, small_gazelstm, small_gazepose
from torch import Tensor, nn

from gazepose import load_net
from gazepose.nets.hopenet import Hopenet
from gazepose.originals.hopenet import load_hopenet
from gazepose.originals.start_weights import start_net
from gazepose.originals.weights import load_original, original_state_dict

MAKERS = {"gazepose": small_gazepose, "gazelstm": small_gazelstm, "gaze360": small_gaze360}


def counted(net: nn.Module) -> nn.Module:
    """The net after 7 batches."""
    for name, value in net.state_dict().items():
        if name.endswith("num_batches_tracked"):
            value.fill_(7)
    return net


def without_counts(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {key: value for key, value in state.items() if "num_batches_tracked" not in key}


def assert_old(net: nn.Module, theirs: nn.Module, prefix: str = "") -> None:
    """The weights are theirs, the counts 0."""
    expected = theirs.state_dict()
    for name, value in net.state_dict().items():
        if not name.startswith(prefix):
            continue
        is_count = name.endswith("num_batches_tracked")
        assert torch.equal(value, torch.tensor(0) if is_count else expected[name]), name


@pytest.mark.parametrize("model_key", MAKERS)
def test_whole_nets_load_without_counts(model_key: str, tmp_path: Path) -> None:
    theirs = MAKERS[model_key](1)
    state = without_counts(original_state_dict(theirs))
    options = {"heads": 2} if model_key == "gazepose" else {}
    assert_old(load_net(model_key, state, **options), theirs)
    path = tmp_path / "old.pth"
    torch.save(state, path, _use_new_zipfile_serialization=False)
    net = counted(MAKERS[model_key](2))
    report = load_original(net, path)
    assert_old(net, theirs)
    assert len(report.matched) == len(state)
    assert len(report.missing) == 20
    assert "20 of the net" in str(report)


@pytest.mark.parametrize("part", ["backbone", "all"])
def test_a_start_without_counts(part: Any, tmp_path: Path) -> None:
    """Gaze360's file."""
    theirs = small_gaze360(1)
    path = tmp_path / "gaze360_model.pth.tar"
    torch.save({"state_dict": without_counts(original_state_dict(theirs))}, path)
    net = counted(small_gazepose(2))
    report = start_net(net, path, part)
    assert_old(net.backbone, theirs.backbone)
    assert len([name for name in report.missing if name.startswith("backbone.")]) == 20


def test_hopenets_file_of_2017_loads_and_is_reported(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    state = published_state()
    torch.manual_seed(0)
    theirs = Hopenet(4)
    path = tmp_path / "hopenet.pkl"
    torch.save(without_counts(state), path, _use_new_zipfile_serialization=False)
    with caplog.at_level(logging.INFO):
        assert_old(load_hopenet(path), theirs)
    for facts in ((str(path), "271 entries"), ("2 of the file", "fc_finetune"), ("53 of the net",)):
        assert any(all(fact in line for fact in facts) for line in caplog.text.splitlines())
