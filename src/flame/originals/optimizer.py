"""States of the original's Adam optimizer -> of ours, and back.

An optimizer numbers its parameters in the order of `net.parameters()`. The original defines its
layers in another order than ours, so the numbers have to be exchanged.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from flame.nets.parts import GazeNet
from flame.originals.names import original_names


def optimizer_state_from_original(state: Mapping[str, Any], net: GazeNet) -> dict[str, Any]:
    """Re-index an original Adam state for ``Adam(net.parameters())`` of our net.

    Returns:
        The state to load; like any optimizer's state dict it shares its tensors.

    Raises:
        ValueError: If the state does not fit the net, or has several parameter groups.
    """
    moved = _reindexed(state, _original_positions(net))
    _check_moments(moved["state"], list(net.parameters()))
    return moved


def optimizer_state_to_original(state: Mapping[str, Any], net: GazeNet) -> dict[str, Any]:
    """Re-index the state of ``Adam(net.parameters())`` to the original's parameter order."""
    to_ours = _original_positions(net)
    return _reindexed(state, [to_ours.index(i) for i in range(len(to_ours))])


def _original_positions(net: GazeNet) -> list[int]:
    """Return, for each parameter in the original's order, its place in `net.parameters()`."""
    ours = {name: i for i, (name, _) in enumerate(net.named_parameters())}
    return [ours[name] for name in original_names(net) if name in ours]


def _reindexed(state: Mapping[str, Any], new_index: Sequence[int]) -> dict[str, Any]:
    """Return an optimizer state whose parameter i has become parameter new_index[i]."""
    groups, indices = state["param_groups"], list(range(len(new_index)))
    if [group["params"] for group in groups] != [indices]:
        sizes = [len(group["params"]) for group in groups]
        raise ValueError(
            f"optimizer state: got groups of {sizes} parameters, expected one group of "
            f"{len(indices)}, as Adam(net.parameters()) has"
        )
    strange = sorted(set(state["state"]).difference(indices))
    if strange:
        raise ValueError(
            f"optimizer state: it is of parameters {strange}, expected 0 to {len(indices) - 1}"
        )
    moments = {new_index[i]: values for i, values in state["state"].items()}
    return {
        "state": dict(sorted(moments.items())),
        "param_groups": [{**groups[0], "params": indices}],
    }


def _check_moments(moments: Mapping[int, Mapping[str, Any]], parameters: Sequence[Tensor]) -> None:
    """Raise ValueError if a running mean has another shape than its parameter."""
    for index, values in moments.items():
        for name in ("exp_avg", "exp_avg_sq"):
            got, expected = tuple(values[name].shape), tuple(parameters[index].shape)
            if got != expected:
                raise ValueError(
                    f"optimizer state: {name} of parameter {index} is {got}, expected {expected}; "
                    "the net has another size than the one the state was saved with"
                )
