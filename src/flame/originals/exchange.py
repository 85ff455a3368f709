"""Training state to and from the original's checkpoints, by way of Lightning's.

An optimizer numbers its parameters in the order of `net.parameters()`. The original defines its
layers in another order than ours, so the numbers have to be exchanged.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pytorch_lightning import LightningModule, Trainer
from torch import Tensor
from torch.optim.lr_scheduler import MultiStepLR

from common.files.form import COUNT, NUMBER, Each, check_form
from common.training.checkpoints.reading import read_checkpoint as read_own_checkpoint
from common.training.checkpoints.resuming import write_resumable
from flame.nets.parts import GazeNet
from flame.originals.checkpoint import (
    OPTIMIZER_FORM,
    OriginalCheckpoint,
    load_original_state_dict,
    read_checkpoint,
    to_original_state_dict,
    write_checkpoint,
)
from flame.originals.names import original_names

_SCHEDULER = {"milestones": Each(COUNT, keys=COUNT), "gamma": NUMBER, "base_lrs": [NUMBER]}
_OTHER_SCHEDULE = "an original's checkpoint resumes with Adam and MultiStepLR only"


def import_training(
    path: Path, resumable_path: Path, module: LightningModule, trainer: Trainer
) -> None:
    """Write an original's checkpoint as one that Lightning resumes from.

    The original saves its scheduler before the step that ends the epoch, so its resumed runs lag
    one step behind; here that step is made up for, from the epoch's number.

    Args:
        path: the original's ``.pth`` file.
        resumable_path: where Lightning's checkpoint goes.
        module: a `flame.training.module.GazeAngleModule` with its statistics; gets the weights.
        trainer: a fresh one.

    Raises:
        ValueError: If the file does not fit the module's net, or its optimizer and scheduler.
    """
    net = module.net
    assert isinstance(net, GazeNet)
    original = read_checkpoint(path)
    load_original_state_dict(net, original.model_state_dict)
    check_form(original.optimizer_state_dict, OPTIMIZER_FORM, f"{path}: optimizer_state_dict")
    optimizer, scheduler = _optimizer_and_scheduler(module)
    optimizer.load_state_dict(optimizer_state_from_original(original.optimizer_state_dict, net))
    moments, num_epochs_done = original.optimizer_state_dict["state"], original.epoch + 1
    check_form(original.scheduler_state_dict, _SCHEDULER, f"{path}: scheduler_state_dict")
    _forward_to(scheduler, original.scheduler_state_dict, num_epochs_done)
    write_resumable(
        resumable_path,
        module,
        trainer,
        num_epochs_done=num_epochs_done,
        num_steps_done=max((int(m["step"]) for m in moments.values()), default=0),
        optimizer_state=optimizer.state_dict(),
        scheduler_state=scheduler.state_dict(),
    )


def export_training(checkpoint_path: Path, module: LightningModule, path: Path) -> None:
    """Write one of our checkpoints in the original's form.

    The original saves before the scheduler's step that ends the epoch, ours after it: that step
    is taken back, so ``last_epoch`` equals ``epoch`` and the learning rate is the epoch's own.
    Resumed by the original's code, the file behaves as one of its own: the schedule lags one
    epoch behind. `import_training` makes up for that.

    ``loss_train`` and ``loss_cv`` are NaN: the original needs the keys, and reads neither.

    Args:
        checkpoint_path: Lightning's checkpoint.
        module: a `flame.training.module.GazeAngleModule`, loaded with that checkpoint.
        path: where the ``.pth`` file goes.

    Raises:
        ValueError: If the checkpoint's scheduler is not one `MultiStepLR`.
    """
    net = module.net
    assert isinstance(net, GazeNet)
    checkpoint = read_own_checkpoint(checkpoint_path)
    epoch = int(checkpoint["epoch"])
    scheduler_state = _original_scheduler_state(checkpoint, epoch)
    (optimizer_state,) = checkpoint["optimizer_states"]
    optimizer_state = optimizer_state_to_original(optimizer_state, net)
    write_checkpoint(
        path,
        OriginalCheckpoint(
            epoch=epoch,
            model_state_dict=to_original_state_dict(net),
            optimizer_state_dict=_with_rates(optimizer_state, scheduler_state["_last_lr"]),
            scheduler_state_dict=scheduler_state,
            loss_train=float("nan"),
            loss_cv=float("nan"),
        ),
    )


def _optimizer_and_scheduler(module: LightningModule) -> tuple[Any, MultiStepLR]:
    configured: Any = module.configure_optimizers()
    scheduler = configured.get("lr_scheduler") if isinstance(configured, Mapping) else None
    if not isinstance(scheduler, MultiStepLR):
        raise ValueError(_OTHER_SCHEDULE)
    return configured["optimizer"], scheduler


def _forward_to(scheduler: MultiStepLR, state: Mapping[str, Any], num_epochs_done: int) -> None:
    own = {key: state[key] for key in ("milestones", "gamma", "base_lrs")}
    own |= _place_in_schedule(state, num_epochs_done)
    scheduler.load_state_dict(own)
    for group, rate in zip(scheduler.optimizer.param_groups, own["_last_lr"], strict=True):
        group["lr"] = rate


def _original_scheduler_state(checkpoint: Mapping[str, Any], epoch: int) -> dict[str, Any]:
    states = checkpoint["lr_schedulers"]
    if len(states) != 1 or "milestones" not in states[0]:
        raise ValueError(_OTHER_SCHEDULE)
    (state,) = states
    milestones = Counter(state["milestones"])
    return {**state, "milestones": milestones, **_place_in_schedule(state, epoch)}


def _place_in_schedule(state: Mapping[str, Any], num_steps: int) -> dict[str, Any]:
    """Return the entries of a MultiStepLR's state that tell how often it stepped."""
    passed = sum(n for milestone, n in state["milestones"].items() if milestone <= num_steps)
    rates = [rate * state["gamma"] ** passed for rate in state["base_lrs"]]
    return {"last_epoch": num_steps, "_step_count": num_steps + 1, "_last_lr": rates}


def _with_rates(optimizer_state: Mapping[str, Any], rates: Sequence[float]) -> dict[str, Any]:
    groups = zip(optimizer_state["param_groups"], rates, strict=True)
    return {**optimizer_state, "param_groups": [{**group, "lr": rate} for group, rate in groups]}


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
