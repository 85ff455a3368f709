"""Hopenet's published file as our net."""

import logging
from pathlib import Path

import torch

from common.training.checkpoints.foreign_weights import UNCOUNTED, fitted
from gazepose.nets.hopenet import Hopenet
from gazepose.originals.files import LoadReport, read_state_dict

LOG = logging.getLogger(__name__)
_ANGLES = ("fc_yaw", "fc_pitch", "fc_roll")
_UNUSED = "fc_finetune."
_WHY_UNUSED = "Hopenet's own forward pass does not use it"


def load_hopenet(path: Path) -> Hopenet:
    """Return Hopenet with the weights of its published file, in eval mode on the CPU.

    ``fc_finetune`` is left out: the file has it, Hopenet's angles do not need it. The log says what
    became of the file's entries.

    Raises:
        ValueError: If the file is missing, damaged, or not Hopenet's.
    """
    content = read_state_dict(path)
    given = {_own_name(key): content[key] for key in content if not key.startswith(_UNUSED)}
    first = given.get("trunk.conv1.weight")
    with torch.device("meta"):
        net = Hopenet(64 if first is None else len(first))
    misfit, hint = f"{path} does not hold Hopenet's weights", "Give hopenet_robust_alpha1.pkl"
    state = fitted(given, net.state_dict(), misfit, hint)
    net = net.to_empty(device="cpu")
    net.load_state_dict(state)
    dropped = {key: _WHY_UNUSED for key in content if key.startswith(_UNUSED)}
    missing = dict.fromkeys(state.keys() - given.keys(), UNCOUNTED)
    LOG.info("%s", LoadReport(f"{path} (Hopenet)", tuple(given), dropped, missing))
    return net.eval()


def _own_name(key: str) -> str:
    return key if key.startswith(_ANGLES) else f"trunk.{key}"
