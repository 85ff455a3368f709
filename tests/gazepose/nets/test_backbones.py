import sys
import warnings
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any
from urllib.error import URLError

import pytest
import torch
from builders.small_nets import FRAMES, TRANSFORMER
from torch import Tensor, nn
from torchvision import models

from gazepose.nets.backbones import Backbone, TimmBackbone, TorchvisionBackbone, pooled, resnet18
from gazepose.nets.backbones.resnet import Bottleneck, ResNet
from gazepose.nets.gazepose import GazePose


def images(num: int = 2, side: int = 64) -> Tensor:
    return torch.randn(num, 3, side, side, generator=torch.Generator().manual_seed(0))


def torchvision_map(net: models.ResNet, x: Tensor) -> Tensor:
    x = net.maxpool(net.relu(net.bn1(net.conv1(x))))
    return net.layer4(net.layer3(net.layer2(net.layer1(x))))


@pytest.mark.parametrize("name", ["resnet18", "resnet50"])
def test_trunks_are_torchvisions(name: str) -> None:
    theirs = getattr(models, name)(weights=None)
    trunk = resnet18().trunk if name == "resnet18" else ResNet(Bottleneck, (3, 4, 6, 3))
    state = {k: v for k, v in theirs.state_dict().items() if not k.startswith("fc.")}
    trunk.load_state_dict(state)
    for mode in (True, False):
        trunk.train(mode), theirs.train(mode)
        ours, expected = trunk(images()), torchvision_map(theirs, images())
        assert torch.equal(ours, expected)
    assert torch.equal(pooled(ours), theirs.avgpool(expected).flatten(1))
    ours.square().mean().backward()
    expected.square().mean().backward()
    assert torch.equal(trunk.conv1.weight.grad, theirs.conv1.weight.grad)


def test_width_scales_everything() -> None:
    narrow, wide = resnet18(4), resnet18(8)
    assert narrow(images()).shape == (2, 32, 2, 2)
    assert wide.num_channels == 2 * narrow.num_channels == 64
    assert sum(p.numel() for p in resnet18().parameters()) == 11_176_512


def test_narrow_trunks_are_strided_convolutions() -> None:
    """Strided 1x1 convolutions of few channels crash in oneDNN, channels-last, on AVX2."""
    narrow = resnet18(width=4).trunk.to(memory_format=torch.channels_last)
    strided = deepcopy(narrow).double()
    for module in strided.modules():
        if isinstance(module, nn.Conv2d):
            module.__class__ = nn.Conv2d
    ours, expected = narrow(images()), strided(images().double())
    torch.testing.assert_close(ours.double(), expected, rtol=0, atol=1e-4)
    ours.square().mean().backward()
    expected.square().mean().backward()
    for parameter, other in zip(narrow.parameters(), strided.parameters(), strict=True):
        torch.testing.assert_close(parameter.grad.double(), other.grad, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("is_told", [True, False])
def test_a_frozen_backbone_does_not_change(is_told: bool) -> None:
    backbone = resnet18(4, frozen=True)
    net = GazePose(backbone, **FRAMES, **TRANSFORMER, use_head=False, use_landmarks=False)
    if is_told:  # Lightning does not: it trains a net in the mode it comes in.
        net.train()
    before = {key: value.clone() for key, value in net.backbone.state_dict().items()}
    optimizer = torch.optim.Adam([p for p in net.parameters() if p.requires_grad], lr=0.1)
    net(torch.randn(2, 7, 3, 32, 32)).sum().backward()
    optimizer.step()
    assert not any(part.training for part in net.backbone.modules())
    assert net.lstm.training
    for key, value in net.backbone.state_dict().items():
        assert torch.equal(value, before[key]), key
    assert net.embedding[0].weight.grad is not None
    assert all(value.grad is None for value in net.backbone.parameters())


@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v3_small", "squeezenet1_1"])
def test_torchvisions_nets_end_at_their_last_map(name: str) -> None:
    torch.manual_seed(0)
    backbone = TorchvisionBackbone(name)
    feature_map = backbone(images(2, 224))
    assert feature_map.shape[:2] == (2, backbone.num_channels)
    assert feature_map.shape[2] == feature_map.shape[3] > 1
    # The classifier is not even kept.
    size = sum(value.numel() for value in getattr(models, name)().parameters())
    assert sum(value.numel() for value in backbone.parameters()) < size
    net = GazePose(backbone, **FRAMES, **TRANSFORMER, use_head=False, use_landmarks=False)
    assert net(torch.randn(1, 7, 3, 224, 224)).shape == (1, 2)


def test_torchvisions_resnet_is_ours() -> None:
    theirs, ours = TorchvisionBackbone("resnet18").eval(), resnet18().eval()
    ours.trunk.load_state_dict(
        {key.removeprefix("trunk.net."): value for key, value in theirs.state_dict().items()}
    )
    assert torch.equal(theirs(images()), ours(images()))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "channels"),
    [("densenet121", 1024), ("swin_t", 768), ("convnext_tiny", 768), ("googlenet", 1024)],
)
def test_torchvisions_larger_nets(name: str, channels: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of GoogLeNet's slow start
        backbone = TorchvisionBackbone(name)
    assert backbone.num_channels == channels
    assert backbone(images(2, 224)).shape == (2, channels, 7, 7)


def test_what_torchvision_cannot_do_is_refused() -> None:
    with pytest.raises(ValueError, match=r"'resnet19'.*alexnet"):
        TorchvisionBackbone("resnet19")
    with pytest.raises(ValueError, match=r"vit_b_16.*TimmBackbone"):
        TorchvisionBackbone("vit_b_16")


@pytest.mark.parametrize("name", ["resnet10t", "mobilenetv3_small_050", "vit_tiny_patch16_224"])
def test_timms_nets(name: str) -> None:
    pytest.importorskip("timm")
    backbone = TimmBackbone(name, frozen=True)
    feature_map = backbone(images(2, 224))
    assert feature_map.shape[:2] == (2, backbone.num_channels)
    assert feature_map.shape[2] == feature_map.shape[3] > 1


def test_windowed_transformers_of_timm_come_with_channels_first() -> None:
    pytest.importorskip("timm")
    backbone = TimmBackbone("swin_tiny_patch4_window7_224")
    assert backbone(images(1, 224)).shape == (1, 768, 7, 7)


def test_timm_says_what_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(ValueError, match=r"pip install -e '\.\[timm\]'"):
        TimmBackbone("resnet10t")


def test_weights_that_timm_cannot_fetch_say_how_to_do_without(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    timm = pytest.importorskip("timm")

    def unreachable(*_: Any, **__: Any) -> None:
        raise ConnectionError("no route")

    monkeypatch.setattr(timm, "create_model", unreachable)
    with pytest.raises(ValueError, match=r"'resnet10t' .*no route.*backbone\.weights=null"):
        TimmBackbone("resnet10t", weights="imagenet")


@pytest.mark.parametrize("name", ["resnet19", "hf-hub:someone/net", "local-dir:folder"])
def test_a_net_that_timm_lacks(name: str) -> None:
    pytest.importorskip("timm")
    with pytest.raises(ValueError, match=rf"timm .*'{name}'"):
        TimmBackbone(name)


@pytest.fixture
def cache_dir(tmp_path: Path) -> Iterator[Path]:
    """torch's cache of downloads, empty."""
    before = torch.hub.get_dir()
    torch.hub.set_dir(str(tmp_path))
    (tmp_path / "checkpoints").mkdir()
    yield tmp_path / "checkpoints"
    torch.hub.set_dir(before)


def fill_cache(cache_dir: Path) -> nn.Module:
    torch.manual_seed(3)
    theirs = models.resnet18(weights=None)
    torch.save(theirs.state_dict(), cache_dir / "resnet18-f37072fd.pth")
    return theirs.eval()


@pytest.mark.parametrize("make", [resnet18, lambda **s: TorchvisionBackbone("resnet18", **s)])
def test_imagenet_weights_from_the_cache(cache_dir: Path, make: type[Backbone]) -> None:
    theirs = fill_cache(cache_dir)
    backbone = make(weights="imagenet").eval()
    assert torch.equal(backbone(images()), torchvision_map(theirs, images()))


@pytest.mark.parametrize("make", [resnet18, lambda **s: TorchvisionBackbone("resnet18", **s)])
def test_no_imagenet_weights_says_where_they_go(
    cache_dir: Path, make: type[Backbone], monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_network(*_: object, **__: object) -> None:
        raise URLError("no network")

    monkeypatch.setattr(torch.hub, "download_url_to_file", no_network)
    with pytest.raises(ValueError, match=rf"no network.*resnet18-f37072fd\.pth.*{cache_dir}"):
        make(weights="imagenet")


def test_weights_that_are_not_published_are_refused() -> None:
    with pytest.raises(ValueError, match=r" 64.* 16.*model\.backbone\.width=64"):
        resnet18(16, weights="imagenet")
    for make in (resnet18, lambda **s: TorchvisionBackbone("resnet18", **s)):
        with pytest.raises(ValueError, match=r"weights.*'imagnet'.*imagenet or null"):
            make(weights="imagnet")
