"""What the nets do at any size; equality with the originals is in test_golden.py."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from builders.small_nets import small_gaze360, small_gaze_cone, small_gazelstm, small_gazepose
from torch import Tensor
from torchvision.transforms import functional

from gazepose.nets.backbones import resnet18
from gazepose.nets.gazepose import GazePose
from gazepose.nets.parts import Classifier, ClipNet
from gazepose.nets.pixels import IMAGENET_MEAN, IMAGENET_STD, normalise
from gazepose.nets.position import SinePosition, sine_positions
from gazepose.nets.transformer import Transformer


def batch(num_clips: int = 3, side: int = 64) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    return (
        torch.randn(num_clips, 7, 3, side, side, generator=generator),
        torch.randint(0, 91, (num_clips, 3), generator=generator),
        torch.rand(num_clips, 15, generator=generator),
    )


NETS = {
    "gazepose": small_gazepose,
    "gazepose h0l0": lambda: small_gazepose(use_head=False, use_landmarks=False),
    "gazelstm": small_gazelstm,
    "gaze_cone": small_gaze_cone,
}


@pytest.mark.parametrize("name", NETS)
def test_a_batch_of_one_and_independent_rows(name: str) -> None:
    net: ClipNet = NETS[name]().eval()
    clip, bins, points = batch()
    with torch.no_grad():
        logits = net(clip, bins, points)
        assert logits.shape == (3, 2)
        for i in range(3):
            one = net(clip[i : i + 1], bins[i : i + 1], points[i : i + 1])
            torch.testing.assert_close(one[0], logits[i], rtol=0, atol=1e-6)


def test_a_net_asks_for_the_priors_it_uses_and_ignores_others() -> None:
    clip, bins, points = batch(1)
    for use_head, use_landmarks in ((True, False), (False, True)):
        net = small_gazepose(use_head=use_head, use_landmarks=use_landmarks).eval()
        assert (net.uses_head, net.uses_landmarks) == (use_head, use_landmarks)
        used = net(clip, bins if use_head else None, points if use_landmarks else None)
        assert torch.equal(used, net(clip, bins, points))
        prior = "head_bins" if use_head else "landmarks"
        with pytest.raises(ValueError, match=rf"{prior}.*priors=none"):
            net(clip)
    assert not small_gazelstm().uses_head


def test_initial_weights_are_spread_as_the_originals() -> None:
    torch.manual_seed(0)
    net = GazePose(resnet18(16), width=128, heads=4, feedforward=512, use_head=False)
    weights = dict(net.named_parameters())

    def std(name: str) -> float:
        return weights[name].std().item()

    xavier = math.sqrt(2 / (128 + 512))
    assert std("transformer.encoder.0.feedforward.0.weight") == pytest.approx(xavier, rel=0.03)
    in_xavier = math.sqrt(2 / (128 + 384))
    for attention in ("encoder.0.attention", "decoder.0.memory_attention"):
        spread = std(f"transformer.{attention}.in_proj_weight")
        assert spread == pytest.approx(in_xavier, rel=0.03)
    assert std("target") == pytest.approx(1, rel=0.1)
    assert std("head_query.query") == pytest.approx(1, rel=0.15)
    assert std("fusion.0.weight") == pytest.approx(1 / math.sqrt(3 * 8 * 128), rel=0.03)
    assert std("backbone.trunk.layer1.0.conv1.weight") == pytest.approx(
        math.sqrt(2 / (16 * 9)), rel=0.05
    )


def test_maps_of_any_size() -> None:
    net = small_gazepose().eval()
    for side in (96, 64, 224):
        clip, bins, points = batch(1, side)
        assert net(clip, bins, points).isfinite().all()
        assert net.position.table.shape[1:] == (side // 32, side // 32)
    assert "position.table" not in net.state_dict()


def test_a_position_made_in_inference_mode_serves_training() -> None:
    net = small_gazepose()
    with torch.inference_mode():
        net(*batch(1))
    net(*batch(1)).sum().backward()


def test_positions() -> None:
    table = sine_positions(3, 7, 8)
    assert table.shape == (8, 3, 7)
    # Rows in the first half, columns in the second.
    assert torch.equal(table[:4, :, 0], table[:4, :, 6])
    assert torch.equal(table[4:, 0], table[4:, 2])
    # The last row and column are a full turn.
    torch.testing.assert_close(table[:2, -1, 0], torch.tensor([0.0, 1.0]), rtol=0, atol=1e-5)
    torch.testing.assert_close(table[4:6, 0, -1], torch.tensor([0.0, 1.0]), rtol=0, atol=1e-5)
    assert table[0, 0, 0].item() == pytest.approx(math.sin(2 * math.pi / 3), abs=1e-6)
    torch.testing.assert_close(table[::2] ** 2 + table[1::2] ** 2, torch.ones(4, 3, 7))
    with pytest.raises(ValueError, match=r"width.* 6.* 4"):
        SinePosition(6)


def test_the_transformer_is_blind_to_the_order_of_places() -> None:
    torch.manual_seed(0)
    net = Transformer(16, 2, 24, 2, 2).eval()
    places, position = torch.randn(2, 9, 16), torch.randn(9, 16)
    target, queries = torch.randn(8, 16), torch.randn(2, 8, 16)
    order = torch.randperm(9)
    expected = net(places, position, target, queries)
    shuffled = net(places[:, order], position[order], target, queries)
    torch.testing.assert_close(shuffled, expected, rtol=0, atol=1e-5)
    with pytest.raises(ValueError, match=r"3 heads.* 16"):
        Transformer(16, 3)


def test_no_layers_are_a_norm() -> None:
    net = Transformer(16, 2, 24, 0, 0)
    target = torch.randn(8, 16)
    found = net(torch.randn(2, 9, 16), torch.randn(9, 16), target, torch.randn(2, 8, 16))
    assert torch.equal(found[1], net.decoder_norm(target))


def test_dropout_is_where_it_was_and_off_in_eval() -> None:
    net = small_gazepose(num_encoder_layers=3, num_decoder_layers=2, dropout=0.25)
    dropouts = [part for part in net.modules() if isinstance(part, torch.nn.Dropout)]
    attentions = [part for part in net.modules() if isinstance(part, torch.nn.MultiheadAttention)]
    assert len(dropouts) == 2 * (3 + 2)
    assert len(attentions) == 3 + 2 * 2
    assert {part.p for part in dropouts} == {part.dropout for part in attentions} == {0.25}
    clip, bins, points = batch(2)
    net.train()
    assert not torch.equal(net(clip, bins, points), net(clip, bins, points))
    net.eval()
    assert torch.equal(net(clip, bins, points), net(clip, bins, points))


@pytest.mark.parametrize("make", [small_gazepose, small_gazelstm, small_gaze_cone])
def test_logits_are_fine_under_bfloat16(make: Any) -> None:
    net = make().eval()
    # Where bfloat16 is emulated a convolution of it costs many of float32.
    inputs = batch(1, 32)
    exact = net(*inputs)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits = net(*inputs)
    assert logits.dtype == torch.float32
    # Not rounded to eight bits: no ties in average precision.
    assert not torch.equal(logits.bfloat16().float(), logits)
    torch.testing.assert_close(logits, exact, rtol=0, atol=0.05)


def test_a_classifier_has_nothing_between_its_layers() -> None:
    net = Classifier(6, 4, 2)
    x = torch.randn(5, 6)
    joined = net[1].weight @ net[0].weight, net[1].weight @ net[0].bias + net[1].bias
    torch.testing.assert_close(net(x), x @ joined[0].T + joined[1])


def test_gaze360_stays_in_its_ranges() -> None:
    net = small_gaze360().eval()
    with torch.no_grad():
        net.last[0].weight.mul_(1e4)
        gaze, uncertainty = net(batch(5)[0])
    assert gaze.shape == (5, 2)
    assert uncertainty.shape == (5, 1)
    assert (gaze.abs() <= torch.tensor([math.pi, math.pi / 2])).all()
    assert ((uncertainty >= 0) & (uncertainty <= math.pi)).all()
    assert gaze[:, 0].abs().max() > math.pi / 2


def test_pixels_are_normalised_as_torchvision_does() -> None:
    image = np.arange(256, dtype=np.uint8).repeat(3).reshape(16, 16, 3)
    expected = functional.normalize(functional.to_tensor(image), IMAGENET_MEAN, IMAGENET_STD)
    images = torch.from_numpy(image).permute(2, 0, 1).expand(2, 3, 16, 16)
    assert torch.equal(normalise(images)[1], expected)
    assert normalise(images[None]).shape == (1, 2, 3, 16, 16)
    with pytest.raises(ValueError, match=r"torch\.float32.*torch\.uint8"):
        normalise(images.float())
