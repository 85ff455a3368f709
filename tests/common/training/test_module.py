"""What all Lightning modules share."""

from typing import Any

import torch
from torch import Tensor, nn

from common.training.module import SuiteModule
from common.training.sample_loss import SampleLoss, SampleLosses


class MeanOutput(SampleLoss):
    """The loss is what the net says."""

    def of_samples(self, predicted: Tensor) -> SampleLosses:
        return SampleLosses(predicted, torch.ones(len(predicted)))


class Small(SuiteModule):
    def _losses(self, predicted: Tensor, batch: Any) -> SampleLosses:
        return self.loss.of_samples(predicted)


def test_outputs_are_those_of_the_latest_test() -> None:
    module = Small(nn.Identity(), MeanOutput(), torch.optim.SGD, None, channels_last=False)
    for score in (1.0, 2.0):
        module.on_test_start()
        for _ in range(2):
            module.on_test_batch_end({"score": torch.tensor([score])}, None, 0)
    assert module.outputs == [{"score": torch.tensor([2.0])}] * 2
