"""Weights from before PyTorch 0.4.1, whose batch norms do not count batches."""

import logging

import pytest
import torch

from flame import load_net
from flame.originals.checkpoint import to_original_state_dict
from flame.originals.names import MODEL_KEYS

SIZES = {"width": 4, "hidden": 8, "input_size": 120}


@pytest.mark.parametrize("model_key", MODEL_KEYS)
def test_nets_load_without_counts(model_key: str, caplog: pytest.LogCaptureFixture) -> None:
    torch.manual_seed(0)
    theirs = MODEL_KEYS[model_key](**SIZES)
    state = to_original_state_dict(theirs)
    old = {key: value for key, value in state.items() if "num_batches_tracked" not in key}
    assert len(old) < len(state)
    with caplog.at_level(logging.INFO):
        net = load_net(model_key, old, **SIZES)
    assert f"{len(state) - len(old)} entries" in caplog.text
    for name, value in net.state_dict().items():
        is_count = name.endswith("num_batches_tracked")
        assert torch.equal(value, torch.tensor(0) if is_count else theirs.state_dict()[name]), name
