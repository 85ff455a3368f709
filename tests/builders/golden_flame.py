"""Golden numbers recorded by running the original FLAME (commit 4494fd7), and how to use them.

No weights are stored: a net is filled by the original's key names with numbers drawn from a seed
that is a hash of the key. A gradient is compared by its l2 norm and by its projection on numbers
drawn from the next seed, which sees permutations that a norm cannot.
"""

import functools
import hashlib
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import torch

GOLDEN_DIR = Path(__file__).parents[1] / "golden" / "flame"


def key_seed(key: str) -> int:
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:4], "little")


@functools.lru_cache(maxsize=1)
def head_weight(key: str, *shape: int) -> torch.Tensor:
    """The one large tensor, the same in all four nets: nine tenths of the time of filling."""
    return fresh_tensor(key, list(shape))


def filled_tensor(key: str, shape: list[int]) -> torch.Tensor:
    if key == "predictorfc1.weight":
        return head_weight(key, *shape)
    return fresh_tensor(key, shape)


def fresh_tensor(key: str, shape: list[int]) -> torch.Tensor:
    if key.endswith("num_batches_tracked"):
        return torch.tensor(0)
    rng = np.random.default_rng(key_seed(key))
    if len(shape) >= 2:
        values = rng.normal(0, math.sqrt(2 / (math.prod(shape) / shape[0])), shape)
    elif key.endswith("running_mean"):
        values = 0.1 * rng.normal(size=shape)
    elif key.endswith("running_var"):
        values = 1 + 0.5 * rng.uniform(size=shape)
    elif key.endswith(".weight"):
        values = 1 + 0.1 * rng.normal(size=shape)
    else:
        values = 0.1 * rng.normal(size=shape)
    return torch.from_numpy(values.astype(np.float32))


class Golden:
    """The recorded numbers of the nets, with the weights and inputs they were recorded with."""

    def __init__(self) -> None:
        content = json.loads((GOLDEN_DIR / "nets.json").read_text())
        self.models: dict[str, Any] = content["models"]
        self.soft: dict[str, Any] = content["soft"]
        self.soft_factor: float = content["soft_factor"]
        self.forward_propagation: dict[str, Any] = content["forward_propagation"]
        self._rgb01_sha256: str = content["rgb01_sha256"]

    def state_dict(
        self, model_key: str, *, soft: bool = False, dtype: torch.dtype = torch.float32
    ) -> dict[str, torch.Tensor]:
        """The filled state dict; do not write to it.

        `soft` scales MMTM's squeeze so that no gate is saturated. That product is rounded to
        `dtype`: the recorded evaluation rounded to float32, the recorded training to float64.
        """
        state = {}
        for key, shape, _ in self.models[model_key]["keys"]:
            tensor = filled_tensor(key, shape)
            state[key] = tensor.to(dtype) if tensor.is_floating_point() else tensor
            if soft and key.startswith(("z_1.", "z_2.")):
                state[key] = state[key] * float(np.float32(self.soft_factor))
        return state

    def inputs(self, dtype: torch.dtype) -> dict[str, torch.Tensor]:
        """rgb (3,3,120,120) in 0..1, heatmap, head_pose and target y, the last two normalised."""
        stored = np.load(GOLDEN_DIR / "net_inputs.npz")
        rgb255 = np.random.default_rng(1001).uniform(0, 255, (3, 3, 120, 120)).astype(np.float32)
        rgb = rgb255 / np.float32(255)
        assert hashlib.sha256(rgb.tobytes()).hexdigest() == self._rgb01_sha256
        arrays = {
            "rgb": rgb,
            "heatmap": stored["heatmap"],
            "head_pose": stored["hp"],
            "y": stored["y"],
        }
        return {name: torch.from_numpy(array).to(dtype) for name, array in arrays.items()}

    @staticmethod
    def projection(key: str, gradient: torch.Tensor) -> float:
        rng = np.random.default_rng((key_seed(key) + 1) % 2**32)
        return float((gradient.numpy() * rng.normal(size=tuple(gradient.shape))).sum())
