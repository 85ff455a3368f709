from pathlib import Path

import numpy as np
import pytest
import torch
from builders.small_hopenet import published_state
from torchvision import models

from gazepose.originals.hopenet import load_hopenet
from gazepose.preprocessing.hopenet import decoded_angles_deg


def test_hopenet_loads_without_its_unused_layer(tmp_path: Path) -> None:
    state = published_state()
    torch.save(state, tmp_path / "hopenet.pkl")
    net = load_hopenet(tmp_path / "hopenet.pkl")
    assert not net.training
    assert torch.equal(net.fc_roll.weight, state["fc_roll.weight"])
    logits = net(torch.randn(2, 3, 224, 224))
    assert [one.shape for one in logits] == [(2, 66)] * 3
    angles = decoded_angles_deg(torch.stack(logits).numpy(force=True))
    assert angles.shape == (3, 2)
    assert (np.abs(angles) <= 99).all()


def test_hopenet_is_resnet50_with_three_classifiers(tmp_path: Path) -> None:
    torch.manual_seed(0)
    resnet = models.resnet50(weights=None).eval()
    state = {k: v for k, v in resnet.state_dict().items() if not k.startswith("fc.")}
    for angle in ("yaw", "pitch", "roll"):
        state[f"fc_{angle}.weight"] = torch.randn(66, 2048)
        state[f"fc_{angle}.bias"] = torch.randn(66)
    torch.save(state, tmp_path / "hopenet.pkl")
    net = load_hopenet(tmp_path / "hopenet.pkl")
    assert sum(value.numel() for value in net.parameters()) == 23_913_734
    resnet.fc = torch.nn.Identity()
    images = torch.randn(1, 3, 224, 224)
    with torch.no_grad():
        features = resnet(images)
        for logits, angle in zip(net(images), ("yaw", "pitch", "roll"), strict=True):
            expected = features @ state[f"fc_{angle}.weight"].T + state[f"fc_{angle}.bias"]
            torch.testing.assert_close(logits, expected, rtol=1e-5, atol=1e-5)


def test_a_certain_bin_is_its_angle() -> None:
    logits = np.full((3, 66), -1e3)
    logits[[0, 1, 2], [0, 33, 65]] = 0
    np.testing.assert_allclose(decoded_angles_deg(logits), [-99, 0, 96], atol=1e-9)


def test_other_weights_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "hopenet.pkl"
    state = published_state()
    del state["fc_yaw.bias"]
    torch.save(state, path)
    with pytest.raises(ValueError, match=r"hopenet\.pkl.* 1 .*fc_yaw\.bias"):
        load_hopenet(path)
    torch.save({"conv.weight": torch.zeros(1)}, path)
    with pytest.raises(ValueError, match=r"hopenet\.pkl.* 1 entries.* \d+ missing"):
        load_hopenet(path)
