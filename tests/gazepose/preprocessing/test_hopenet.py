"""Head angles by Hopenet: decoding, input, and the weights file."""

import hashlib
import logging
import pickle
import re
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from builders.small_hopenet import published_state

from gazepose.nets.hopenet import Hopenet
from gazepose.preprocessing.hopenet import HopenetHeadPose, decoded_angles_deg

IMAGE = cv2.GaussianBlur(
    np.random.default_rng(0).integers(0, 256, (224, 224, 3), np.uint8), (9, 9), 3
)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of the published form, of a narrow net."""
    path = tmp_path_factory.mktemp("hopenet") / "hopenet.pkl"
    torch.save(published_state(), path)
    return path


@pytest.mark.parametrize(("bin_number", "angle_deg"), [(0, -99.0), (33, 0.0), (65, 96.0)])
def test_a_certain_bin_is_its_angle(bin_number: int, angle_deg: float) -> None:
    logits = np.zeros(66)
    logits[bin_number] = 1e4
    assert decoded_angles_deg(logits) == pytest.approx(angle_deg)


def test_two_equal_bins_give_the_angle_between() -> None:
    logits = np.full(66, -1e4)
    logits[[40, 43]] = 7.0
    assert decoded_angles_deg(logits) == pytest.approx((41.5 * 3) - 99)


def test_angles_are_those_of_the_net_on_the_normalised_image(weights: Path) -> None:
    angles = HopenetHeadPose(weights).angles_deg(IMAGE)
    net = Hopenet(4).eval()
    state = torch.load(weights, weights_only=True)
    state = {k if k.startswith("fc_") else f"trunk.{k}": v for k, v in state.items()}
    net.load_state_dict({k: v for k, v in state.items() if "finetune" not in k})
    image = torch.from_numpy(IMAGE.astype(np.float32) / 255).permute(2, 0, 1)
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    with torch.no_grad():
        logits = net(((image - mean[:, None, None]) / std[:, None, None])[None])
    expected = [(one[0].softmax(0) * torch.arange(66)).sum() * 3 - 99 for one in logits]
    np.testing.assert_allclose(angles, torch.stack(expected).numpy(), atol=1e-3)


def test_other_sizes_are_resized(weights: Path) -> None:
    hopenet = HopenetHeadPose(weights)
    large = cv2.resize(IMAGE, (448, 448), interpolation=cv2.INTER_CUBIC)
    np.testing.assert_allclose(hopenet.angles_deg(large), hopenet.angles_deg(IMAGE), atol=1.0)


def test_it_travels_without_its_net(weights: Path) -> None:
    hopenet = HopenetHeadPose(weights)
    angles = hopenet.angles_deg(IMAGE)
    sent = pickle.dumps(hopenet)
    assert len(sent) < 1000
    np.testing.assert_array_equal(pickle.loads(sent).angles_deg(IMAGE), angles)


def test_another_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"nowhere\.pkl.*head_pose=mesh"):
        HopenetHeadPose(tmp_path / "nowhere.pkl")
    path = tmp_path / "other.pkl"
    torch.save({"conv1.weight": torch.zeros(4, 3, 7, 7)}, path)
    with pytest.raises(ValueError, match=str(path)):
        HopenetHeadPose(path).angles_deg(IMAGE)
    with pytest.raises(ValueError, match=str(path)):
        HopenetHeadPose(path).fingerprint()


def test_where_a_store_is_named_by_its_weights_the_log_says_what_is_used_of_them(
    weights: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Worker processes have no log."""
    path = tmp_path / "hopenet.pkl"
    path.write_bytes(weights.read_bytes())
    with caplog.at_level(logging.INFO):
        first, second = (HopenetHeadPose(path).fingerprint() for _ in range(2))
    assert first == second == hashlib.sha256(path.read_bytes()).hexdigest()
    assert len(re.findall(rf"{path}.* 324 .*\n.* 2 .*fc_finetune", caplog.text)) == 1
