"""What all Lightning modules share."""

import torch
from torch import nn

from common.training.module import SuiteModule
from common.training.sample_loss import SampleLoss


def test_outputs_are_those_of_the_latest_test() -> None:
    module = SuiteModule(nn.Identity(), SampleLoss(), torch.optim.SGD, None, channels_last=False)
    for score in (1.0, 2.0):
        module.on_test_start()
        for _ in range(2):
            module.on_test_batch_end({"score": torch.tensor([score])}, None, 0)
    assert module.outputs == [{"score": torch.tensor([2.0])}] * 2
