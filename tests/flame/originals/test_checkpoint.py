import copy
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from flame import load_net
from flame.originals.checkpoint import (
    OriginalCheckpoint,
    load_original_state_dict,
    read_checkpoint,
    to_original_state_dict,
    write_checkpoint,
)
from flame.originals.exchange import optimizer_state_from_original, optimizer_state_to_original
from flame.originals.names import MODEL_KEYS, guess_model_key, model_key_of, original_names

SIZES = {"width": 4, "hidden": 8, "input_size": 26}
KEYS = sorted(MODEL_KEYS)


def small_net(model_key: str, seed: int = 0) -> Any:
    torch.manual_seed(seed)
    return MODEL_KEYS[model_key](**SIZES, dropout=0).double()


def trained(net: nn.Module, optimizer: torch.optim.Optimizer, seeds: list[int]) -> nn.Module:
    """Steps on random batches, one a seed."""
    for seed in seeds:
        generator = torch.Generator().manual_seed(seed)
        shapes = [(3, 3, 26, 26), (3, 28, 26, 26), (3, 3)]
        inputs = [torch.rand(s, generator=generator, dtype=torch.float64) for s in shapes]
        optimizer.zero_grad()
        net.train()(*inputs).square().sum().backward()
        optimizer.step()
    return net


def exported_state(optimizer: torch.optim.Optimizer, net: Any) -> dict[str, Any]:
    """A copy, as a file would be: torch's own state dicts share their tensors."""
    state = optimizer_state_to_original(optimizer.state_dict(), net)
    return copy.deepcopy(state)


def parameters_in_original_order(net: Any, golden: Any) -> list[Tensor]:
    """By the recorded key order of the original, not by our own table's."""
    entries = golden.models[model_key_of(net)]["keys"]
    order = [key for key, _, kind in entries if kind == "param"]
    parameters, names = dict(net.named_parameters()), original_names(net)
    by_original = {names[name]: parameter for name, parameter in parameters.items()}
    return [by_original[key] for key in order]


def assert_same_state(ours: dict[str, Tensor], theirs: dict[str, Tensor]) -> None:
    assert list(ours) == list(theirs)
    for key, value in ours.items():
        assert torch.equal(value, theirs[key]), key


@pytest.mark.parametrize("model_key", KEYS)
def test_keys_shapes_and_order_are_the_originals(golden: Any, model_key: str) -> None:
    with torch.device("meta"):
        net = MODEL_KEYS[model_key]()
    ours = [[key, list(value.shape)] for key, value in to_original_state_dict(net).items()]
    assert ours == [[key, shape] for key, shape, _ in golden.models[model_key]["keys"]]


@pytest.mark.parametrize("model_key", KEYS)
def test_state_dict_round_trip(model_key: str) -> None:
    net = small_net(model_key)
    state = to_original_state_dict(net)
    for prefix in ("", "module."):
        shuffled = [(prefix + key, value) for key, value in state.items()]
        random.Random(0).shuffle(shuffled)
        loaded = load_net(model_key, dict(shuffled), **SIZES)
        assert type(loaded) is MODEL_KEYS[model_key]
        assert not loaded.training
        assert_same_state(loaded.state_dict(), net.state_dict())
        assert guess_model_key(dict(shuffled)) == model_key


def test_loading_keeps_float64_draws_no_random_numbers_and_copies() -> None:
    state = to_original_state_dict(small_net("baseline"))
    before = torch.get_rng_state()
    net = load_net("baseline", state, **SIZES)
    assert torch.equal(torch.get_rng_state(), before)
    assert {parameter.dtype for parameter in net.parameters()} == {torch.float64}
    with torch.no_grad():
        net.head.out.bias.add_(1)
    assert not torch.equal(net.head.out.bias, state["out.bias"])
    single = {key: value.float() for key, value in state.items() if value.is_floating_point()}
    net = load_net("baseline", {**state, **single}, **SIZES)
    assert {parameter.dtype for parameter in net.parameters()} == {torch.float32}


def without(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {key: value for key, value in state.items() if not key.startswith("out.")}


def with_extra(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {**state, "adj": torch.zeros(28, 28)}


def reshaped(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {**state, "out.bias": torch.zeros(3)}


def sparse(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {**state, "out.bias": state["out.bias"].to_sparse()}


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (sparse, r"does not fit 'baseline': .*[Ss]parse"),
        (without, r"95.*97.*2 .*out\.weight, out\.bias"),
        (with_extra, r"98.*97.*1 .*adj"),
        (reshaped, r"1 .*out\.bias.*\(3,\).*\(2,\)"),
        (lambda _: {}, r" 0 .*97.*97"),
    ],
)
def test_a_state_dict_that_does_not_fit_says_how(damage: Callable[..., Any], message: str) -> None:
    state = damage(to_original_state_dict(small_net("baseline")))
    with pytest.raises(ValueError, match=message):
        load_net("baseline", state, **SIZES)
    net = small_net("baseline", seed=1)
    before = {key: value.clone() for key, value in net.state_dict().items()}
    with pytest.raises(ValueError, match=message):
        load_original_state_dict(net, state)
    assert_same_state(net.state_dict(), before)


def test_another_models_state_dict_is_recognised() -> None:
    state = to_original_state_dict(small_net("additive-fusion"))
    with pytest.raises(ValueError, match="'additive-fusion'"):
        load_net("baseline", state, **SIZES)


def test_another_width_is_recognised() -> None:
    state = to_original_state_dict(small_net("baseline"))
    with pytest.raises(ValueError, match="width, hidden and input_size"):
        load_net("baseline", state)


def test_a_whole_checkpoint_instead_of_its_state_dict_is_refused() -> None:
    with pytest.raises(ValueError, match="epoch, model_state_dict"):
        load_net("baseline", {"epoch": 1, "model_state_dict": {}}, **SIZES)


def test_unknown_names() -> None:
    with pytest.raises(ValueError, match=r"'flame'.*mmtm-fusion"):
        load_net("flame", {})
    assert guess_model_key({"conv.weight": torch.zeros(1)}) is None
    with pytest.raises(ValueError, match="Linear"):
        to_original_state_dict(nn.Linear(1, 1))


@pytest.mark.parametrize("model_key", KEYS)
def test_optimizer_state_continues_in_the_originals_order_and_back(
    golden: Any, model_key: str
) -> None:
    ours = small_net(model_key)
    optimizer = torch.optim.Adam(ours.parameters(), lr=1e-3)
    trained(ours, optimizer, [1, 2])
    exported = exported_state(optimizer, ours)

    theirs = load_net(model_key, to_original_state_dict(ours), dropout=0, **SIZES)
    their_optimizer = torch.optim.Adam(parameters_in_original_order(theirs, golden), lr=9.0)
    their_optimizer.load_state_dict(copy.deepcopy(exported))
    trained(theirs, their_optimizer, [3])

    again = load_net(model_key, to_original_state_dict(ours), dropout=0, **SIZES)
    our_optimizer = torch.optim.Adam(again.parameters(), lr=9.0)
    our_optimizer.load_state_dict(optimizer_state_from_original(exported, again))
    trained(again, our_optimizer, [3])

    trained(ours, optimizer, [3])
    assert_same_state(theirs.state_dict(), ours.state_dict())
    assert_same_state(again.state_dict(), ours.state_dict())


def test_the_order_of_flame_differs_so_that_the_test_above_sees_something() -> None:
    net = small_net("mmtm-fusion")
    original = [name for name in original_names(net) if name in dict(net.named_parameters())]
    assert original != [name for name, _ in net.named_parameters()]


def test_optimizer_state_of_torch_1_8_loads() -> None:
    # Its steps are plain numbers, and its groups lack what later versions added.
    net = small_net("mmtm-fusion")
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    trained(net, optimizer, [1])
    state = exported_state(optimizer, net)
    for moments in state["state"].values():
        moments["step"] = int(moments["step"])
    names = ("lr", "betas", "eps", "weight_decay", "amsgrad", "params")
    state["param_groups"] = [{name: state["param_groups"][0][name] for name in names}]
    again = load_net("mmtm-fusion", to_original_state_dict(net), dropout=0, **SIZES)
    resumed = torch.optim.Adam(again.parameters())
    resumed.load_state_dict(optimizer_state_from_original(state, again))
    trained(again, resumed, [2])
    trained(net, optimizer, [2])
    assert_same_state(again.state_dict(), net.state_dict())


def test_an_optimizer_state_before_the_first_step_is_kept() -> None:
    net = small_net("baseline")
    fresh = torch.optim.Adam(net.parameters(), lr=1e-5).state_dict()
    moved = optimizer_state_from_original(fresh, net)
    assert moved["state"] == {}
    assert moved["param_groups"][0]["lr"] == 1e-5


def test_an_optimizer_state_that_does_not_fit_is_refused() -> None:
    net, other = small_net("mmtm-fusion"), small_net("baseline")
    optimizer = torch.optim.Adam(net.parameters())
    trained(net, optimizer, [1])
    state = exported_state(optimizer, net)
    with pytest.raises(ValueError, match=r"\[119\].* 52"):
        optimizer_state_from_original(state, other)
    strange = {**state, "state": {**state["state"], 999: {}}}
    with pytest.raises(ValueError, match=r"parameters \[999\], expected 0 to 118"):
        optimizer_state_from_original(strange, net)
    wide = MODEL_KEYS["mmtm-fusion"](width=8, hidden=8, input_size=26)
    with pytest.raises(ValueError, match=r"exp_avg .* 0 .*\(4, 3, 3, 3\).*\(8, 3, 3, 3\)"):
        optimizer_state_from_original(state, wide)


@pytest.fixture
def checkpoint() -> OriginalCheckpoint:
    net = small_net("additive-fusion")
    optimizer = torch.optim.Adam(net.parameters(), lr=5e-5)
    scheduler = torch.optim.lr_scheduler.MultiStepLR(optimizer, [85, 120, 175], gamma=0.5)
    trained(net, optimizer, [1])
    return OriginalCheckpoint(
        epoch=3,
        model_state_dict=to_original_state_dict(net),
        optimizer_state_dict=optimizer_state_to_original(optimizer.state_dict(), net),
        scheduler_state_dict=scheduler.state_dict(),
        loss_train=0.25,
        loss_cv=6.5,
    )


def test_checkpoint_round_trip(tmp_path: Path, checkpoint: OriginalCheckpoint) -> None:
    path = tmp_path / "checkpoint_4.pth"
    write_checkpoint(path, checkpoint)
    assert [file.name for file in tmp_path.iterdir()] == ["checkpoint_4.pth"]
    ours = read_checkpoint(path)
    assert (guess_model_key(ours.model_state_dict), ours.epoch) == ("additive-fusion", 3)
    assert (ours.loss_train, ours.loss_cv) == (0.25, 6.5)
    assert ours.scheduler_state_dict == checkpoint.scheduler_state_dict
    assert_same_state(ours.model_state_dict, checkpoint.model_state_dict)
    assert (
        ours.optimizer_state_dict["param_groups"] == checkpoint.optimizer_state_dict["param_groups"]
    )
    for index, moments in checkpoint.optimizer_state_dict["state"].items():
        assert_same_state(ours.optimizer_state_dict["state"][index], moments)


def test_a_written_file_has_exactly_the_originals_form(
    tmp_path: Path, checkpoint: OriginalCheckpoint
) -> None:
    path = tmp_path / "checkpoint_4.pth"
    write_checkpoint(path, checkpoint)
    content = torch.load(path, weights_only=True)
    assert list(content) == [
        "epoch",
        "model_state_dict",
        "optimizer_state_dict",
        "scheduler_state_dict",
        "loss_train",
        "loss_cv",
    ]
    optimizer = torch.optim.Adam([nn.Parameter(torch.zeros(1))])
    scheduler = torch.optim.lr_scheduler.MultiStepLR(optimizer, [1])
    scheduler.load_state_dict(content["scheduler_state_dict"])
    assert sorted(scheduler.milestones) == [85, 120, 175]


def test_checkpoints_from_several_devices_and_tensor_losses_are_read(
    tmp_path: Path, checkpoint: OriginalCheckpoint
) -> None:
    path = tmp_path / "parallel.pth"
    write_checkpoint(path, checkpoint)
    content = torch.load(path, weights_only=True)
    content["loss_train"] = torch.tensor(0.25)
    state = content["model_state_dict"]
    content["model_state_dict"] = {f"module.{key}": value for key, value in state.items()}
    torch.save(content, path)
    ours = read_checkpoint(path)
    assert ours.loss_train == 0.25
    assert_same_state(ours.model_state_dict, checkpoint.model_state_dict)


class Harmful:
    def __reduce__(self) -> tuple[Any, ...]:
        return print, ("code from a checkpoint ran",)


def test_files_that_are_no_checkpoints_are_refused(tmp_path: Path, capsys: Any) -> None:
    damaged = tmp_path / "damaged.pth"
    torch.save({"epoch": 1, "state_dict": {}}, damaged)
    with pytest.raises(ValueError, match=r"damaged\.pth.*model_state_dict.*epoch, state_dict"):
        read_checkpoint(damaged)
    torch.save({"epoch": Harmful()}, damaged)
    with pytest.raises(ValueError, match=r"damaged\.pth"):
        read_checkpoint(damaged)
    assert "ran" not in capsys.readouterr().out


def test_a_checkpoint_of_another_net_is_refused(
    tmp_path: Path, checkpoint: OriginalCheckpoint
) -> None:
    path = tmp_path / "checkpoint.pth"
    write_checkpoint(path, checkpoint)
    content = torch.load(path, weights_only=True)
    torch.save({**content, "model_state_dict": {"conv.weight": torch.zeros(1)}}, path)
    with pytest.raises(ValueError, match=r"checkpoint\.pth.*conv\.weight"):
        read_checkpoint(path)
