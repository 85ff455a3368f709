"""Weights of the form of Hopenet's published file, of a narrow net."""

import torch
from torch import Tensor

from gazepose.nets.hopenet import Hopenet


def published_state(width: int = 4, seed: int = 0) -> dict[str, Tensor]:
    """A state dict with Hopenet's names: a bare ResNet-50, three angles, and an unused layer."""
    torch.manual_seed(seed)
    net = Hopenet(width)
    state = {key.removeprefix("trunk."): value for key, value in net.state_dict().items()}
    finetune = {"fc_finetune.weight": torch.randn(3, 35), "fc_finetune.bias": torch.randn(3)}
    return {**state, **finetune}
