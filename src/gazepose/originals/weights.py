"""Weights of the originals: whole nets, and what a training starts from.

Nothing is renamed on disk: files keep the originals' names (`gazepose.originals.names`), and what
`original_state_dict` gives can be loaded by the originals' code.
"""

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor, nn

from common.training.foreign_weights import UNCOUNTED, fitted, unfilled, unwrapped
from gazepose.nets.parts import ClipEncoder
from gazepose.originals.files import LoadReport, read_state_dict
from gazepose.originals.names import (
    Kind,
    check_resnet,
    kind_of_net,
    kind_of_weights,
    original_names,
    yaw_turned,
)
from gazepose.originals.sizes import net_of_size, priors_of


def load_net(
    model_key: str,
    state_dict: Mapping[str, Tensor],
    priors: str = "all",
    *,
    split: float = 1.0,
    dsplit: float = 0.1,
    csplit: float = 0.1,
    heads: int = 8,
) -> ClipEncoder:
    """Build a net and fill it from an original state dict; no random numbers are drawn.

    Sizes are those of the weights, so narrower nets of ours load as well.

    Args:
        model_key: "gazepose", "gazelstm" (the Ego4D baseline too) or "gaze360".
        state_dict: with the original's keys, with or without ``module.`` before each.
        priors: "all", "head", "landmarks" or "none", of gazepose: which the net was trained with.
        split: degrees a bin of the head pose, of gazepose; so are the following.
        dsplit: side of a landmark cell.
        csplit: step of the landmark score.
        heads: of each attention; weights do not tell.

    Returns:
        The net in eval mode on the CPU; forward(clip, head_bins, landmarks) -> logits (B, 2), or
        of gaze360 forward(clip) -> `GazeEstimate`.

    Raises:
        ValueError: An unknown model key or priors, or keys or shapes that do not fit them.
    """
    given = unwrapped(state_dict)
    steps = {"split": split, "dsplit": dsplit, "csplit": csplit, "heads": heads}
    net = unfilled(lambda: net_of_size(model_key, given, priors, steps), given)
    _fill(net, given, "this state dict")
    return net.eval()


def load_original(net: nn.Module, path: Path) -> LoadReport:
    """Fill a whole net from an original's state dict, or a checkpoint with one inside.

    It is GazePose, GazeLSTM (with or without the Ego4D baseline's further layer) or Gaze360; all or
    nothing.

    Raises:
        ValueError: If the file cannot be read or is of another net, or keys or shapes differ.
    """
    return _fill(net, read_state_dict(path), str(path))


def original_state_dict(net: nn.Module) -> dict[str, Tensor]:
    """Return a net's state with the original's keys (not copied, but for what is turned).

    Raises:
        ValueError: If no original has such a net.
    """
    check_resnet(net)
    own = yaw_turned(net, net.state_dict())
    return {original: own[name] for name, original in original_names(net).items()}


def _fill(net: nn.Module, given: Mapping[str, Tensor], source: str) -> LoadReport:
    """Fill all of a net from a state dict with the original's keys."""
    kind, found = kind_of_net(net), kind_of_weights(given)
    check_resnet(net)
    names, own = original_names(net), net.state_dict()
    expected = {original: own[name] for name, original in names.items()}
    state = fitted(given, expected, f"{source} does not fit {kind}", _hint(kind, found, given))
    filled = {name: state[original] for name, original in names.items()}
    net.load_state_dict(yaw_turned(net, filled))
    return LoadReport(
        f"{source} ({found})",
        matched=tuple(name for name, original in names.items() if original in given),
        missing={name: UNCOUNTED for name, original in names.items() if original not in given},
    )


def _hint(kind: Kind, found: Kind, given: Mapping[str, Tensor]) -> str:
    if found is Kind.SUITE:
        return "It is a checkpoint of this suite: give its run as run=RUN"
    if found is Kind.BASELINE and kind is Kind.GAZELSTM:
        return "It is the Ego4D baseline's: model=gazelstm 'model.net.head_hidden=[128]'"
    if found is not kind:
        return f"Its keys are those of {found}; load it as that"
    if kind is Kind.GAZEPOSE:
        return f"It was trained with priors={priors_of(given)}; its sizes must be the net's, too"
    return "Give the sizes it was trained with"
