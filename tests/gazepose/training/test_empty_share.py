"""A process without a sample in a batch takes part in the step with gradients of zero."""

from typing import Any

import pytest
import torch
from builders.small_nets import small_gaze360, small_gazelstm, small_gazepose
from torch import nn

from gazepose.training.losses import PinballLoss, WeightedCrossEntropy

NETS = {
    "gazelstm": lambda: small_gazelstm(),
    "gaze360": lambda: small_gaze360(),
    **{
        f"gazepose {head} {landmarks}": lambda head=head, landmarks=landmarks: small_gazepose(
            use_head=head, use_landmarks=landmarks, train_landmark_codes=landmarks
        )
        for head in (True, False)
        for landmarks in (True, False)
    },
}


def trained(net: nn.Module) -> list[tuple[str, nn.Parameter]]:
    return [(key, value) for key, value in net.named_parameters() if value.requires_grad]


def loss_of(name: str, net: nn.Module, num: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Losses and weights of `num` samples."""
    if name == "gaze360":
        shown: tuple[Any, ...] = (torch.rand(num, 1, 3, 32, 32),)
        return PinballLoss().of_samples(*net(*shown), torch.rand(num, 2))
    shown = (torch.rand(num, 7, 3, 32, 32), torch.zeros(num, 3).long(), torch.rand(num, 15))
    return WeightedCrossEntropy().of_samples(net(*shown), torch.ones(num).long())


@pytest.mark.parametrize("name", NETS)
def test_no_sample_gives_zero_gradients_and_leaves_statistics(name: str) -> None:
    net = NETS[name]().train()
    before = {key: value.clone() for key, value in net.named_buffers() if "running" in key}
    losses, weights = loss_of(name, net, 0)
    (losses * weights).sum().backward()
    # None would keep DDP waiting: then the net has a part that it does not use.
    for key, value in trained(net):
        assert value.grad is not None, key
        assert not value.grad.any(), key
    for key, value in before.items():
        assert torch.equal(net.get_buffer(key), value), key


@pytest.mark.parametrize("name", NETS)
def test_every_parameter_takes_part_in_a_step(name: str) -> None:
    """An ablated branch is not built, so DDP need not look for unused parameters."""
    net = NETS[name]().train()
    losses, weights = loss_of(name, net, 2)
    (losses * weights).sum().backward()
    assert [key for key, value in trained(net) if value.grad is None] == []
