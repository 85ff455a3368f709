"""FLAME's ``forward_propagation`` in the words of this suite, for a pipeline of one's own."""

from typing import Any

import numpy as np
import pytest
import torch
from builders.golden_flame import GOLDEN_DIR, Golden
from torch import Tensor

import flame
from common.geometry import angular_error
from flame.originals.names import MODEL_KEYS
from flame.training.losses import VectorDifferenceLoss


def forward_propagation(
    net: Any, ranges: Any, rgb: Tensor, landmarks: Tensor, head_pose: Tensor, gaze: Tensor
) -> tuple[Tensor, Tensor, float]:
    """Return predicted and true [yaw, pitch] and the mean error, all in radians."""
    heatmap = flame.render_heatmaps(landmarks)
    with torch.no_grad():
        normalised = net(rgb, heatmap, ranges.normalise_head_pose(head_pose))
    predicted = ranges.denormalise_gaze(normalised)
    return predicted, gaze, angular_error(predicted, gaze).mean().item()


@pytest.mark.parametrize("model_key", sorted(MODEL_KEYS))
def test_public_names_give_what_forward_propagation_gave(golden: Golden, model_key: str) -> None:
    recorded = golden.forward_propagation
    net = flame.load_net(model_key, golden.state_dict(model_key))
    rgb = golden.inputs(torch.float32)["rgb"]
    landmarks = torch.from_numpy(np.load(GOLDEN_DIR / "net_inputs.npz")["landmarks"]).float()
    head_pose, gaze = (torch.tensor(recorded[key]) for key in ("hp_raw", "gaze_raw"))
    for dataset in ("eyediap", "columbiagaze"):
        ranges = flame.load_statistics(dataset)
        predicted, true, error = forward_propagation(net, ranges, rgb, landmarks, head_pose, gaze)
        expected = recorded["out"][f"{dataset}/{model_key}"]
        head_pose_normalised = torch.tensor(expected["hp_normalised"])
        torch.testing.assert_close(ranges.normalise_head_pose(head_pose), head_pose_normalised)
        # The original leaves its two tensors normalised.
        out, target = torch.tensor(expected["out"]), torch.tensor(expected["y_normalised"])
        atol = 1e-5 * out.abs().max().item()
        torch.testing.assert_close(ranges.normalise_gaze(predicted), out, rtol=0, atol=atol)
        torch.testing.assert_close(ranges.normalise_gaze(true), target)
        assert error == pytest.approx(expected["angular_loss"], rel=1e-4)
        vector_loss = VectorDifferenceLoss()(predicted, true).item()
        assert vector_loss == pytest.approx(expected["vector_loss"], rel=1e-4)
