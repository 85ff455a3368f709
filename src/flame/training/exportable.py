"""The nets of this package as an ONNX file has them: inputs, outputs, what to know of them."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from common.geometry import CONTRACT
from common.onnx.writing import Exportable, Port
from flame.batch import NUM_LANDMARKS
from flame.evaluation.calibration import weights_sha256
from flame.nets.parts import GazeNet

_NUM_EXAMPLES = 3
_LANDMARKS = (
    f"float32 (batch, {NUM_LANDMARKS}): x of 56 points, then y of the 56, in pixels of the crop, "
    "whole numbers at pixel centres; 28 points of the subject's right eye, 28 of the left, as "
    "OpenFace numbers them"
)
_HEAD_POSE = "float32 (batch, 3): [pitch, yaw, roll] in radians; see angle_contract"
_GAZE = (
    "float32 (batch, 2): [yaw, pitch] in radians; see angle_contract. A person's gaze is the mean "
    "direction of both eyes'"
)


class GazeGraph(nn.Module):
    """A module as a function of arrays as people have them.

    Args:
        module: gives gaze for a `GazeBatch`; in eval mode, with its statistics.
    """

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, rgb: Tensor, head_pose: Tensor, landmarks: Tensor | None = None) -> Tensor:
        """Return gaze (B, 2) in radians of pictures (B, S, S, 3) uint8; the rest as `GazeBatch`."""
        batch = {"rgb": rgb.movedim(-1, 1), "head_pose": head_pose, "landmarks": landmarks}
        gaze: Tensor = self.module(batch)
        return gaze


def exportable_gaze(
    module: nn.Module, net: GazeNet, gaze_frame: str, annotator: Mapping[str, Any] | None
) -> Exportable:
    """Return a module as an exported file has it.

    Args:
        module: as of `GazeGraph`.
        net: the module's.
        gaze_frame: in which it was trained.
        annotator: the arguments of `flame.prediction.predictor.PhotoPredictor`, as plain values.
    """
    size, generator = net.input_size, torch.Generator().manual_seed(0)
    rgb = (
        f"uint8 (batch, {size}, {size}, 3) RGB as Pillow gives it: one eye each, the middle of a "
        "square cut from the photo, not resized"
    )
    shape = (_NUM_EXAMPLES, size, size, 3)
    pixels = torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)
    poses = torch.rand(_NUM_EXAMPLES, 3, generator=generator) - 0.5
    ports = {"rgb": Port(rgb, "batch", pixels), "head_pose": Port(_HEAD_POSE, "batch", poses)}
    if net.uses_heatmap:
        points = size * torch.rand(_NUM_EXAMPLES, NUM_LANDMARKS, generator=generator)
        ports["landmarks"] = Port(_LANDMARKS, "batch", points)
    return Exportable(
        GazeGraph(module),
        ports,
        {"gaze": Port(_GAZE, "batch")},
        facts={
            "angle_contract": CONTRACT,
            "gaze_frame": gaze_frame,
            "weights_sha256": weights_sha256(net),
        },
        annotator=annotator,
    )
