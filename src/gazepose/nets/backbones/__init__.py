"""What turns a face image into a map of features."""

from gazepose.nets.backbones.backbone import (
    Backbone,
    TimmBackbone,
    TorchvisionBackbone,
    pooled,
    resnet18,
)

__all__ = ["Backbone", "TimmBackbone", "TorchvisionBackbone", "pooled", "resnet18"]
