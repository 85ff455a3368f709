"""Names of the weights in the originals' files -> ours, and back.

GazePose at commit f4ce9872, the Ego4D "Looking At Me" baseline, Gaze360. Their nets share the
names of what makes a frame's features (``base_model``, ``lstm``).
"""

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum

from torch import Tensor, nn

from gazepose.nets.backbones.resnet import ResNet
from gazepose.nets.gaze360 import Gaze360
from gazepose.nets.gaze_cone import GazeCone
from gazepose.nets.gazelstm import GazeLSTM
from gazepose.nets.gazepose import GazePose


class Kind(StrEnum):
    """Whose weights they are."""

    GAZEPOSE = "GazePose"
    GAZELSTM = "GazeLSTM"
    BASELINE = "the Ego4D baseline"
    GAZE360 = "Gaze360"
    HOPENET = "Hopenet"
    SUITE = "this suite"
    UNKNOWN = "an unknown net"


_FRAMES = [
    (r"^backbone\.trunk\.", "base_model."),
    (r"^embedding\.0\.", "base_model.fc1."),
    (r"^embedding\.2\.", "base_model.fc2."),
]
_TRANSFORMER = [
    (r"^head_query\.(yaw|pitch|roll)\.", r"\1_embed."),
    (r"^(head|landmark)_query\.query$", r"\1_query"),
    (r"^landmark_query\.cell\.", "joint_embed."),
    (r"^landmark_query\.score\.", "c_embed."),
    (r"^target$", "headpos_emeb"),  # so spelt
    (r"^input_projection\.", "input_proj."),
    (r"^transformer\.(encoder|decoder)_norm\.", r"transformer.\1.norm."),
    (r"^transformer\.(encoder|decoder)\.(\d+)\.", r"transformer.\1.layers.\2."),
    (r"\.(self_)?attention\.", ".self_attn."),
    (r"\.memory_attention\.", ".multihead_attn."),
    (r"\.feedforward\.0\.", ".linear1."),
    (r"\.feedforward\.3\.", ".linear2."),
    (r"^fusion\.0\.", "fusion_layer."),
]
_LAST: dict[Kind, list[tuple[str, str]]] = {
    Kind.GAZEPOSE: [(r"^last\.0\.", "combine_layer."), (r"^last\.1\.", "last_layer.")],
    Kind.GAZELSTM: [(r"^last\.0\.", "last_layer.")],
    Kind.BASELINE: [(r"^last\.0\.", "last_layer1."), (r"^last\.1\.", "last_layer2.")],
    Kind.GAZE360: [(r"^last\.0\.", "last_layer.")],
}
# A key that starts so tells whose weights they are; the first that fits counts.
_MARKS = {
    "net.backbone.": Kind.SUITE,
    "fc_yaw.": Kind.HOPENET,
    "transformer.": Kind.GAZEPOSE,
    "last_layer1.": Kind.BASELINE,
}


def kind_of_net(net: nn.Module) -> Kind:
    """Return whose net it is.

    Raises:
        ValueError: If no original has such a net.
    """
    if isinstance(net, GazePose):
        return Kind.GAZEPOSE
    if isinstance(net, Gaze360 | GazeCone):
        return Kind.GAZE360
    if isinstance(net, GazeLSTM) and len(net.last) <= 2:
        return Kind.GAZELSTM if len(net.last) == 1 else Kind.BASELINE
    raise ValueError(f"{type(net).__name__} has no counterpart among the originals")


def kind_of_weights(state_dict: Mapping[str, Tensor]) -> Kind:
    """Tell from keys and shapes whose weights a state dict holds."""
    for mark, kind in _MARKS.items():
        if any(key.startswith(mark) for key in state_dict):
            return kind
    last = state_dict.get("last_layer.weight")
    if last is None or "base_model.conv1.weight" not in state_dict:
        return Kind.UNKNOWN
    return Kind.GAZE360 if len(last) == 3 else Kind.GAZELSTM


def original_names(net: nn.Module) -> dict[str, str]:
    """Return our state-dict key -> the original's.

    Raises:
        ValueError: If no original has such a net, or its backbone is not a ResNet as theirs.
    """
    kind, trunk = kind_of_net(net), getattr(net.backbone, "trunk", None)
    rules = [*_FRAMES, *(_TRANSFORMER if kind is Kind.GAZEPOSE else []), *_LAST[kind]]
    if not isinstance(trunk, ResNet):
        raise ValueError(
            f"the originals' nets have ResNet-18, this one has {type(trunk).__name__}; with "
            "model.backbone._target_=gazepose.nets.backbones.resnet18 their weights fit"
        )
    return {name: _renamed(name, rules) for name in net.state_dict()}


def yaw_turned(net: nn.Module, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return a state of ours for one in Gaze360's frame, or the other way round.

    Gaze360's yaw points the other way. Its output passes an odd function, so that turning its
    weights turns the angle exactly; all other nets stay as they are.
    """
    turned = dict(state)
    if isinstance(net, Gaze360 | GazeCone):
        for name in ("last.0.weight", "last.0.bias"):
            turned[name] = state[name].clone()
            turned[name][0].neg_()
    return turned


def _renamed(name: str, rules: Iterable[tuple[str, str]]) -> str:
    for pattern, replacement in rules:
        name = re.sub(pattern, replacement, name)
    return name
