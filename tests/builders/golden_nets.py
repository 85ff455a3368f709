"""Recorded results of the originals' nets, the weights they had and the inputs they saw."""

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from gazepose import load_net
from gazepose.nets.gazelstm import GazeLSTM
from gazepose.nets.gazepose import GazePose

GOLDEN_DIR = Path(__file__).parents[1] / "golden" / "gazepose"
# Layer tensors of the originals agree with themselves within 3e-6 over threads and libraries.
ATOL = 1e-5
EVERY = 7
"""Large tensors are recorded at every seventh channel."""
CONFIGS = {"h1l1": "all", "h1l0": "head", "h0l1": "landmarks", "h0l0": "none"}


@cache
def recorded() -> dict[str, Any]:
    return json.loads((GOLDEN_DIR / "nets.json").read_text())


@cache
def recorded_arrays() -> dict[str, npt.NDArray[Any]]:
    with np.load(GOLDEN_DIR / "nets.npz") as arrays:
        return dict(arrays)


@cache
def filled(key: str, shape: tuple[int, ...]) -> Tensor:
    """The weight of an original's key: the fill rule that the recordings were made with."""
    seed = int.from_bytes(hashlib.sha256(key.encode()).digest()[:4], "little")
    rng = np.random.default_rng(seed)
    if key.endswith("num_batches_tracked"):
        return torch.tensor(0)
    if key.endswith("running_mean"):
        values = 0.1 * rng.standard_normal(shape)
    elif key.endswith("running_var"):
        values = 1 + 0.5 * rng.random(shape)
    elif len(shape) >= 2:
        scale = 1.0 if "_embed." in key else np.sqrt(shape[0] / np.prod(shape))
        values = rng.standard_normal(shape) * scale
    elif "bias" in key.rpartition(".")[2]:
        values = 0.1 * rng.standard_normal(shape)
    else:
        values = 1 + 0.1 * rng.standard_normal(shape)
    return torch.from_numpy(np.asarray(values, np.float32))


def gazepose_state(config: str) -> dict[str, Tensor]:
    """The original GazePose's state dict: `config` says which priors, as h1l0."""
    keys = recorded()["gazepose_keys"].items()
    return {
        key: filled(key, tuple(shape))
        for key, (shape, _, *configs) in keys
        if not configs or config in configs[0]
    }


def gazelstm_state() -> dict[str, Tensor]:
    return {k: filled(k, tuple(shape)) for k, shape in recorded()["gazelstm_keys"].items()}


def baseline_state() -> dict[str, Tensor]:
    return {k: filled(k, tuple(shape)) for k, shape in recorded()["baseline"]["keys"].items()}


def gazepose(config: str) -> GazePose:
    net = load_net("gazepose", gazepose_state(config), CONFIGS[config])
    assert isinstance(net, GazePose)
    return net


def gazelstm() -> GazeLSTM:
    net = load_net("gazelstm", gazelstm_state())
    assert isinstance(net, GazeLSTM)
    return net


@cache
def clip() -> Tensor:
    """Noise (2, 7, 3, 224, 224)."""
    return torch.from_numpy(
        np.random.default_rng(1001).standard_normal((2, 7, 3, 224, 224))
    ).float()


@cache
def wavy_clip() -> Tensor:
    """Waves (2, 7, 3, 224, 224), whose frames and samples differ more: ``clip_s``."""
    rng = np.random.default_rng(1005)
    offset = 2 * rng.standard_normal((2, 7, 3))[..., None, None]
    amplitude = rng.standard_normal((2, 7, 3))[..., None, None]
    frequency = rng.integers(1, 9, (2, 7, 2))[:, :, None, :, None, None]
    y, x = np.mgrid[:224, :224]
    phase = 2 * np.pi * (frequency[..., 0, :, :] * y + frequency[..., 1, :, :] * x) / 224
    return torch.from_numpy(
        offset + amplitude * np.sin(phase) + 0.1 * clip().double().numpy()
    ).float()


def head_bins() -> Tensor:
    return torch.from_numpy(np.random.default_rng(1002).integers(0, 91, (2, 3)))


def landmarks() -> Tensor:
    places = np.random.default_rng(1003).uniform(-2, 2, (2, 10))
    scores = np.random.default_rng(1004).random((2, 5))
    return torch.from_numpy(np.concatenate([places, scores], 1)).float()


def assert_recorded(ours: Tensor, name: str, atol: float = ATOL) -> None:
    expected = torch.from_numpy(recorded_arrays()[name])
    torch.testing.assert_close(ours.detach(), expected, rtol=0, atol=atol, msg=lambda m: name + m)
