"""Hopenet: head angles from a face image, in 66 bins each.

Ruiz et al., "Fine-Grained Head Pose Estimation Without Keypoints", CVPR Workshops 2018.
"""

from torch import Tensor, nn

from gazepose.nets.backbones import pooled
from gazepose.nets.backbones.resnet import Bottleneck, ResNet

NUM_BINS = 66


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

        Images are (B, 3, 224, 224) faces in ImageNet's normalisation.
        """
        features = pooled(self.trunk(images))
        return self.fc_yaw(features), self.fc_pitch(features), self.fc_roll(features)
