"""A process without a sample in a batch takes part in the step with gradients of zero."""

import pytest
import torch

from flame.originals.names import MODEL_KEYS
from flame.training.losses import VectorDifferenceLoss


@pytest.mark.parametrize("model_key", sorted(MODEL_KEYS))
def test_no_sample_gives_zero_gradients_and_leaves_statistics(model_key: str) -> None:
    net = MODEL_KEYS[model_key](width=2, hidden=8).train()
    before = {key: value.clone() for key, value in net.named_buffers() if "running" in key}
    prediction = net(torch.rand(0, 3, 120, 120), torch.rand(0, 28, 120, 120), torch.rand(0, 3))
    losses, weights = VectorDifferenceLoss().of_samples(prediction, torch.rand(0, 2))
    (losses * weights).sum().backward()
    # None would keep DDP waiting: then the net has a part that it does not use.
    for key, value in net.named_parameters():
        assert value.grad is not None, key
        assert not value.grad.any(), key
    for key, value in before.items():
        assert torch.equal(net.get_buffer(key), value), key
