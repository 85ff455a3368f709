"""The nets over clips as ONNX files: what the module says of each clip, frames looked at once."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from builders.small_nets import (
    FRAMES,
    TRANSFORMER,
    small_gaze360,
    small_gaze_cone,
    small_module,
)
from builders.small_training import one_thread

from common.onnx.net import OnnxNet
from common.onnx.writing import TOLERANCE, Exportable, write_onnx
from gazepose.nets.backbones import Backbone, TimmBackbone, TorchvisionBackbone
from gazepose.nets.gazelstm import GazeLSTM
from gazepose.nets.gazepose import GazePose
from gazepose.nets.pixels import normalise
from gazepose.priors import head_bins
from gazepose.training.exportable import exportable_gaze
from gazepose.training.module import EyeContactModule

SIZE, SPLIT_DEG = 64, 5.0
INPUTS = {"image_size": SIZE, "zoom": 1.0, "split": SPLIT_DEG}
SAID = {"model": "small", "line": "eye_contact", "training_data": {"name": "none", "recipe": {}}}


# An export takes a time by the number of operators: nets that differ elsewhere look little.
def glance() -> Backbone:
    torch.manual_seed(0)
    return Backbone(torch.nn.Conv2d(3, 6, 16, 16), 6)


SMALL = {**FRAMES, **TRANSFORMER, "num_encoder_layers": 0, "split": SPLIT_DEG}


def track(num_clips: int, num_frames: int = 9) -> dict[str, np.ndarray]:
    """Clips over the frames of a track, some places black, one head pose unknown."""
    generator = np.random.default_rng(num_clips)
    poses = generator.uniform(-99, 99, (num_clips, 3))
    poses[-1, 1] = np.nan
    return {
        "frames": generator.integers(0, 256, (num_frames, SIZE, SIZE, 3)).astype(np.uint8),
        "windows": generator.integers(-1, num_frames, (num_clips, 7)),
        "head_pose_deg": poses.astype(np.float32),
        "landmarks": generator.uniform(-2, 2, (num_clips, 15)).astype(np.float32),
    }


def clips(given: dict[str, np.ndarray]) -> torch.Tensor:
    """The clips (N, 7, 3, S, S) that windows show."""
    black = np.zeros((1, SIZE, SIZE, 3), np.uint8)
    shown = np.concatenate([given["frames"], black])[given["windows"]]
    return torch.from_numpy(shown).movedim(-1, 2)


def opened(exportable: Exportable, folder: Path) -> OnnxNet:
    assert write_onnx(folder / "net.onnx", exportable, SAID) <= TOLERANCE
    return OnnxNet(folder / "net.onnx")


def check_scores(module: EyeContactModule, folder: Path) -> OnnxNet:
    net = opened(module.exportable(INPUTS, None), folder)
    for num in (1, 3, 8):
        given = track(num)
        batch: Any = {
            "clip": clips(given),
            "head_bins": torch.from_numpy(head_bins(given["head_pose_deg"], SPLIT_DEG)),
            "landmarks": torch.from_numpy(given["landmarks"]),
        }
        with torch.inference_mode():
            expected = module.scores(batch).numpy()
        (found,) = net(given).values()
        np.testing.assert_allclose(found, expected, rtol=0, atol=TOLERANCE)
    assert np.ptp(found) > 0
    return net


@pytest.mark.parametrize(
    ("settings", "priors", "flips"),
    [
        ({}, {"head_pose_deg", "landmarks"}, {"flip_average": True, "mirror_priors": True}),
        ({"use_landmarks": False}, {"head_pose_deg"}, {}),
        ({"use_head": False, "landmark_index": "collision_free"}, {"landmarks"}, {}),
        ({"use_head": False, "use_landmarks": False}, set(), {}),
    ],
    ids=["all", "head", "landmarks", "none"],
)
def test_gazepose_gives_its_scores_by_the_priors_it_has(
    settings: dict[str, Any], priors: set[str], flips: dict[str, bool], tmp_path: Path
) -> None:
    net = GazePose(glance(), **(SMALL | settings))
    with one_thread():
        exported = check_scores(small_module(net, **flips), tmp_path)
    assert set(exported.shapes) == {"frames", "windows"} | priors


@pytest.mark.parametrize(
    ("backbone", "settings"),
    [
        (glance, {"head_hidden": (5,)}),
        (lambda: TorchvisionBackbone("squeezenet1_1"), {}),
        pytest.param(lambda: TimmBackbone("test_vit"), {}, marks=pytest.mark.slow),
    ],
    ids=["two layers", "torchvision", "timm"],
)
def test_gazelstm_gives_its_scores(
    backbone: Callable[[], Backbone], settings: dict[str, Any], tmp_path: Path
) -> None:
    net = GazeLSTM(backbone(), **FRAMES, **settings)
    with one_thread():
        check_scores(small_module(net, channels_last=True), tmp_path)


@pytest.mark.parametrize("use_head", [True, False])
def test_gaze_cone_gives_its_scores(use_head: bool, tmp_path: Path) -> None:
    net = small_gaze_cone(use_head=use_head, split=SPLIT_DEG, radius_deg=60)
    with one_thread():
        exported = check_scores(small_module(net, flip_average=True), tmp_path)
    assert ("head_pose_deg" in exported.shapes) == use_head


def test_gaze360_gives_its_angles(tmp_path: Path) -> None:
    net = small_gaze360().eval()
    with one_thread():
        exported = opened(exportable_gaze(net, INPUTS), tmp_path)
        for num in (1, 3, 8):
            given = track(num)
            with torch.inference_mode():
                expected = net(normalise(clips(given)))
            for values, right in zip(exported(given).values(), expected, strict=True):
                np.testing.assert_allclose(values, right.numpy(), rtol=0, atol=TOLERANCE)
