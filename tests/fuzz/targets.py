"""All readers, by name."""

from fuzz import common_targets, flame_targets, gazepose_targets, onnx_targets
from fuzz.target import Target

TARGETS: list[Target] = [
    *common_targets.TARGETS,
    *flame_targets.TARGETS,
    *gazepose_targets.TARGETS,
    *onnx_targets.TARGETS,
]
