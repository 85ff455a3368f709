"""Names of the original FLAME's nets and of their parts -> ours.

The original's keys are those of a state dict saved at commit 4494fd7.
"""

from collections.abc import Mapping

from torch import Tensor

from common.training.checkpoints.foreign_weights import unwrapped
from flame.nets.flame import Flame, FlameAF, FlameAO, FlameB
from flame.nets.parts import GazeNet

MODEL_KEYS: dict[str, type[GazeNet]] = {
    "mmtm-fusion": Flame,
    "concatenated-fusion": FlameAO,
    "additive-fusion": FlameAF,
    "baseline": FlameB,
}

# The original's modules -> ours, in the original's order of definition. That order is also the
# order of its optimizer's parameters.
_LAYERS = {
    "initial": "stem",
    "l1": "stage1.0",
    "l2": "stage1.1",
    "l3": "stage2.0",
    "l4": "stage2.1",
    "l5": "stage3.0",
    "l6": "stage3.1",
}
_RGB = {f"rgbbackbone.{old}": f"rgb_backbone.{new}" for old, new in _LAYERS.items()}
_HEATMAP = {f"heatmapbackbone.{old}": f"heatmap_backbone.{new}" for old, new in _LAYERS.items()}
_HEAD = {"predictorfc1": "head.fc1", "predictorfc2": "head.fc2", "out": "head.out"}
_MODULES: dict[str, dict[str, str]] = {
    "mmtm-fusion": {
        "initial_rgb": "rgb_backbone.stem",
        "initial_heatmap": "heatmap_backbone.stem",
        "m1_rgb": "rgb_backbone.stage1",
        "m1_heatmap": "heatmap_backbone.stage1",
        "m2_rgb": "rgb_backbone.stage2",
        "m2_heatmap": "heatmap_backbone.stage2",
        "z_1": "mmtm1.squeeze",
        "e1_rgb": "mmtm1.rgb_gate",
        "e1_heatmap": "mmtm1.heatmap_gate",
        "m3_rgb": "rgb_backbone.stage3",
        "m3_heatmap": "heatmap_backbone.stage3",
        "z_2": "mmtm2.squeeze",
        "e2_rgb": "mmtm2.rgb_gate",
        "e2_heatmap": "mmtm2.heatmap_gate",
        "postprocess": "merge",
        **_HEAD,
    },
    "concatenated-fusion": {**_RGB, **_HEATMAP, "cnn": "merge", **_HEAD},
    "additive-fusion": {**_RGB, **_HEATMAP, **_HEAD},
    "baseline": {f"backbone.{old}": f"rgb_backbone.{new}" for old, new in _LAYERS.items()} | _HEAD,
}
# A key that starts so tells the model; the first that fits counts.
_MARKS = {
    "z_1.": "mmtm-fusion",
    "cnn.": "concatenated-fusion",
    "rgbbackbone.": "additive-fusion",
    "backbone.": "baseline",
}


def original_names(net: GazeNet) -> dict[str, str]:
    """Return our state-dict key -> the original's, in the original's order."""
    own = list(net.state_dict())
    names = {
        name: (old + name.removeprefix(new)).replace(".residual.", ".residual_connection.")
        for old, new in _MODULES[model_key_of(net)].items()
        for name in own
        if name.startswith(f"{new}.")
    }
    assert len(names) == len(own), "every part of a net has an original name"
    return names


def model_key_of(net: GazeNet) -> str:
    """Return the original's key of a net.

    Raises:
        ValueError: If the net is none of the published four.
    """
    for model_key, known in MODEL_KEYS.items():
        if type(net) is known:
            return model_key
    names = ", ".join(known.__name__ for known in MODEL_KEYS.values())
    raise ValueError(f"{type(net).__name__} has no counterpart in the original; expected {names}")


def guess_model_key(state_dict: Mapping[str, Tensor]) -> str | None:
    """Tell from the keys which of the original's models a state dict is of; None if of none."""
    given = unwrapped(state_dict)
    for mark, model_key in _MARKS.items():
        if any(key.startswith(mark) for key in given):
            return model_key
    return None
