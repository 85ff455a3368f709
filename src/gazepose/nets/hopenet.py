"""Hopenet: head angles from a face image, in 66 bins each.

Ruiz et al., "Fine-Grained Head Pose Estimation Without Keypoints", CVPR Workshops 2018.
"""

from __future__ import annotations

import logging
from pathlib import Path

import torch
from torch import Tensor, nn

from common.training.batch_counts import UNCOUNTED, missing_counts
from gazepose.nets.backbones.backbone import pooled
from gazepose.nets.backbones.resnet import Bottleneck, ResNet
from gazepose.originals.files import misfits, read_state_dict
from gazepose.originals.load_report import LoadReport

LOG = logging.getLogger(__name__)
NUM_BINS = 66
_ANGLES = ("fc_yaw", "fc_pitch", "fc_roll")
_UNUSED = "fc_finetune."
_WHY_UNUSED = "Hopenet's own forward pass does not use it"


class Hopenet(nn.Module):
    """ResNet-50 and a linear layer an angle; 23,913,734 parameters at the published width.

    Args:
        width: channels of the first stage.
    """

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        self.trunk = ResNet(Bottleneck, (3, 4, 6, 3), width)
        self.fc_yaw = nn.Linear(self.trunk.num_channels, NUM_BINS)
        self.fc_pitch = nn.Linear(self.trunk.num_channels, NUM_BINS)
        self.fc_roll = nn.Linear(self.trunk.num_channels, NUM_BINS)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return logits (B, 66) of yaw, pitch and roll; bin k stands for 3 k - 99 degrees.

        Args:
            images: (B, 3, 224, 224) faces in ImageNet's normalisation.
        """
        features = pooled(self.trunk(images))
        return self.fc_yaw(features), self.fc_pitch(features), self.fc_roll(features)


def load_hopenet(path: Path) -> Hopenet:
    """Return Hopenet with the weights of its published file, in eval mode on the CPU.

    ``fc_finetune`` is left out: the file has it, Hopenet's angles do not need it. The log says what
    became of the file's entries.

    Args:
        path: as ``hopenet_robust_alpha1.pkl``.

    Raises:
        ValueError: If the file is missing, damaged, or not Hopenet's.
    """
    content = read_state_dict(path)
    given = {_own_name(key): content[key] for key in content if not key.startswith(_UNUSED)}
    first = given.get("trunk.conv1.weight")
    with torch.device("meta"):
        net = Hopenet(64 if first is None else len(first))
    uncounted = missing_counts(given, net.state_dict())
    problems = misfits({**given, **uncounted}, net.state_dict())
    if problems:
        raise ValueError(f"{path} does not hold Hopenet's weights: {problems}")
    net = net.to_empty(device="cpu")
    net.load_state_dict({**given, **uncounted})
    dropped = {key: _WHY_UNUSED for key in content if key.startswith(_UNUSED)}
    missing = dict.fromkeys(uncounted, UNCOUNTED)
    LOG.info("%s", LoadReport(f"{path} (Hopenet)", tuple(given), dropped, missing))
    return net.eval()


def _own_name(key: str) -> str:
    return key if key.startswith(_ANGLES) else f"trunk.{key}"
