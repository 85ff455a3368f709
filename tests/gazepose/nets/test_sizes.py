"""Sizes that no net can have, images that a backbone cannot take, and pixels as timm's were."""

from typing import Any

import pytest
import torch
from builders.small_nets import small_gazelstm, small_gazepose
from torch import Tensor

from gazepose.nets.backbones import TimmBackbone, TorchvisionBackbone, resnet18
from gazepose.nets.backbones.sizes import explained_image_size
from gazepose.nets.pixels import IMAGENET_MEAN, IMAGENET_STD
from gazepose.nets.transformer import Transformer


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"heads": 0}, r"model\.transformer\.heads.* 0.* 1 "),
        ({"width": 0}, r"model\.transformer\.width.* 0.* 1 "),
        ({"feedforward": 0}, r"model\.transformer\.feedforward.* 0.* 1 "),
        ({"num_encoder_layers": -1}, r"num_encoder_layers.* -1.* 0 "),
        ({"num_decoder_layers": -1}, r"num_decoder_layers.* -1.* 0 "),
        ({"dropout": 1.0}, r"model\.transformer\.dropout.* 1\.0.* 0 .* 1"),
        ({"dropout": -0.1}, r"model\.transformer\.dropout.* -0\.1.* 0 .* 1"),
    ],
)
def test_transformers_of_impossible_sizes_are_refused(
    changed: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        small_gazepose(**changed)
    with pytest.raises(ValueError, match=message):
        Transformer(**{"width": 16, "heads": 2, **changed})


@pytest.mark.parametrize("make", [small_gazepose, small_gazelstm])
def test_impossible_sizes_of_the_rest_are_refused(make: Any) -> None:
    with pytest.raises(ValueError, match=r"model\.embedding.* 0.* 1 "):
        make(embedding=0)
    with pytest.raises(ValueError, match=r"model\.net\.embedding_hidden.* -3.* 1 "):
        make(embedding_hidden=-3)
    with pytest.raises(ValueError, match=r"model\.lstm_hidden.* 0.* 1 "):
        make(lstm_hidden=0)


def test_impossible_sizes_of_one_net_or_backbone_are_refused() -> None:
    with pytest.raises(ValueError, match=r"model\.net\.head_hidden.* 0.* 1 "):
        small_gazelstm(head_hidden=(4, 0))
    with pytest.raises(ValueError, match=r"model\.backbone\.width.* 0.* 1 "):
        resnet18(0)


def test_a_net_of_one_image_size_says_which() -> None:
    pytest.importorskip("timm")
    backbone = TimmBackbone("vit_tiny_patch16_224")
    for side in (160, 256):
        message = rf"name=vit_tiny_patch16_224.*{side} x {side}.*model\.image_size=224"
        with pytest.raises(ValueError, match=message):
            backbone(torch.zeros(1, 3, side, side))
    assert backbone(torch.zeros(1, 3, 224, 224)).shape[1] == backbone.num_channels


@pytest.mark.parametrize(
    ("name", "side"),
    [("squeezenet1_1", 8), pytest.param("maxvit_t", 160, marks=pytest.mark.slow)],
)
def test_a_torchvision_net_says_which_image_size_it_takes(name: str, side: int) -> None:
    message = rf"{name}.*{side} x {side}.*model\.image_size=224"
    with pytest.raises(ValueError, match=message):
        TorchvisionBackbone(name)(torch.zeros(1, 3, side, side))


@pytest.mark.parametrize(
    ("error", "side"), [(torch.OutOfMemoryError("full"), 8), (RuntimeError("full"), 224)]
)
def test_what_is_no_matter_of_size_is_told_as_it_was_raised(error: Exception, side: int) -> None:
    images = torch.zeros(1, 3, side, side)
    with pytest.raises(type(error), match="full"), explained_image_size("a net", images, 224):
        raise error


def normalised(pixels: Tensor, mean: Any, std: Any) -> Tensor:
    return (pixels - torch.tensor(mean)[:, None, None]) / torch.tensor(std)[:, None, None]


def test_timms_weights_see_pixels_as_they_were_trained(monkeypatch: pytest.MonkeyPatch) -> None:
    timm = pytest.importorskip("timm")
    create = timm.create_model
    # Random weights stand for those that would be downloaded.
    monkeypatch.setattr(
        timm, "create_model", lambda *a, **s: create(*a, **s | {"pretrained": False})
    )
    torch.manual_seed(0)
    own, fresh = (
        TimmBackbone("vit_tiny_patch16_224", weights=w).eval() for w in ("imagenet", None)
    )
    fresh.trunk.net.load_state_dict(own.trunk.net.state_dict())
    pixels = torch.rand(1, 3, 224, 224)
    images = normalised(pixels, IMAGENET_MEAN, IMAGENET_STD)
    with torch.no_grad():
        expected = own.trunk.net(normalised(pixels, (0.5,) * 3, (0.5,) * 3))[-1]
        torch.testing.assert_close(own(images), expected, rtol=1e-4, atol=1e-4)
        assert torch.equal(fresh(images), fresh.trunk.net(images)[-1])
        assert (own(images) - fresh(images)).abs().max() > 0.1
        # A run's checkpoint is loaded into a net built without weights (predict.py).
        fresh.load_state_dict(own.state_dict())
        assert torch.equal(own(images), fresh(images))
