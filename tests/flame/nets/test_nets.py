from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import Tensor

from flame import load_net
from flame.nets.parts import MMTM, ResidualBlock, feature_side
from flame.originals.checkpoint import to_original_state_dict
from flame.originals.names import MODEL_KEYS
from flame.training.losses import VectorDifferenceLoss

# EYEDIAP's range of gaze in radians.
GAZE_MIN, GAZE_MAX = -0.22343134203226836, 0.2711951242385745
# The learning rate of the recorded Adam steps.
LEARNING_RATE = 1e-4
# "soft" is FLAME with gates that are not saturated; only there do all gates carry gradient.
RECORDED = ["baseline", "additive-fusion", "concatenated-fusion", "mmtm-fusion", "soft"]
# Ten seconds each; what the others hold is in the last one as well.
TRAINED = [*(pytest.param(name, marks=pytest.mark.slow) for name in RECORDED[:-1]), "soft"]


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Beside other busy processes two threads are slower than one: they wait for each other."""
    num_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(num_threads)


def denormalised(values: Tensor) -> Tensor:
    return values * (GAZE_MAX - GAZE_MIN) + GAZE_MIN


def without_dropout(net: torch.nn.Module) -> torch.nn.Module:
    for module in net.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0
    return net


@dataclass(frozen=True)
class TrainingRun:
    """What the recorded numbers describe: one backward pass, then three steps of Adam."""

    expected: dict[str, Any]
    gradients: dict[str, tuple[float, float]]  # l2 norm, projection
    buffers: dict[str, tuple[float, float]]  # l2 norm, sum; after the first forward
    losses: list[float]


@pytest.fixture(scope="module", params=TRAINED)
def run(request: Any, golden: Any) -> TrainingRun:
    is_soft = request.param == "soft"
    model_key = "mmtm-fusion" if is_soft else request.param
    recorded = golden.soft if is_soft else golden.models[model_key]
    net = load_net(model_key, golden.state_dict(model_key, soft=is_soft, dtype=torch.float64))
    without_dropout(net.train())
    inputs = golden.inputs(torch.float64)
    target = denormalised(inputs.pop("y"))
    optimizer = torch.optim.Adam(net.parameters(), lr=LEARNING_RATE)

    def loss() -> Tensor:
        return VectorDifferenceLoss()(denormalised(net(**inputs)), target)

    def backward() -> float:
        optimizer.zero_grad()
        value = loss()
        value.backward()
        return value.item()

    losses = [backward()]
    state = to_original_state_dict(net)
    buffers = {
        key: (float(state[key].double().norm()), float(state[key].double().sum()))
        for key in recorded["training"]["buffers"]
    }
    names = {tensor.data_ptr(): key for key, tensor in state.items()}
    gradients = {}
    for parameter in net.parameters():
        key, gradient = names[parameter.data_ptr()], parameter.grad
        gradients[key] = (float(gradient.norm()), golden.projection(key, gradient))
    for _ in range(2):
        optimizer.step()
        losses.append(backward())
    optimizer.step()
    with torch.no_grad():
        losses.append(loss().item())
    return TrainingRun(recorded["training"], gradients, buffers, losses)


@pytest.mark.parametrize("model_key", sorted(MODEL_KEYS))
def test_number_of_parameters(golden: Any, model_key: str) -> None:
    with torch.device("meta"):
        net = MODEL_KEYS[model_key]()
    num_parameters = sum(parameter.numel() for parameter in net.parameters())
    assert num_parameters == golden.models[model_key]["num_params"]


@pytest.mark.parametrize("model_key", RECORDED)
def test_outputs_equal_the_original(golden: Any, model_key: str) -> None:
    is_soft = model_key == "soft"
    recorded = golden.soft if is_soft else golden.models[model_key]
    model_key = "mmtm-fusion" if is_soft else model_key
    net = load_net(model_key, golden.state_dict(model_key, soft=is_soft))
    for dtype, name, tolerance in (
        (torch.float32, "out_f32", 1e-5),
        (torch.float64, "out_f64", 1e-10),
    ):
        inputs = golden.inputs(dtype)
        del inputs["y"]
        with torch.no_grad():
            ours = net.to(dtype)(**inputs)
        expected = torch.tensor(recorded[name], dtype=dtype)
        scale = float(expected.abs().max())
        torch.testing.assert_close(ours, expected, rtol=0, atol=tolerance * scale)


def test_training_loss_equals_the_original(run: TrainingRun) -> None:
    assert run.losses[0] == pytest.approx(run.expected["loss"], rel=1e-12)


def test_gradients_equal_the_original(run: TrainingRun) -> None:
    assert run.gradients.keys() == run.expected["gradients"].keys()
    for key, (norm, projection) in run.expected["gradients"].items():
        # The bias before a batch norm has no effect in training: its gradient is rounding noise.
        if key.endswith(".0.bias") and "initial" in key:
            assert run.gradients[key][0] < 1e-9
            continue
        assert run.gradients[key][0] == pytest.approx(norm, rel=1e-8), key
        assert run.gradients[key][1] == pytest.approx(projection, abs=1e-8 * norm), key


def test_running_statistics_equal_the_original(run: TrainingRun) -> None:
    for key, expected in run.expected["buffers"].items():
        assert run.buffers[key] == pytest.approx(expected, rel=1e-11, abs=1e-12), key


def test_three_adam_steps_equal_the_original(run: TrainingRun) -> None:
    # Two torch versions running the original differ by 4e-10 here.
    assert run.losses == pytest.approx(run.expected["adam_losses"], rel=1e-8)


def small_net(model_key: str, **sizes: Any) -> torch.nn.Module:
    torch.manual_seed(0)
    return MODEL_KEYS[model_key](**{"width": 4, "hidden": 8, "input_size": 30, **sizes})


def small_inputs(num: int = 2, size: int = 30) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    shapes = [(num, 3, size, size), (num, 28, size, size), (num, 3)]
    rgb, heatmap, head_pose = (torch.rand(shape, generator=generator) for shape in shapes)
    return rgb, heatmap, head_pose


@pytest.mark.parametrize("model_key", sorted(MODEL_KEYS))
def test_width_changes_channels_and_nothing_else(golden: Any, model_key: str) -> None:
    net = small_net(model_key, width=16, hidden=512, input_size=120)
    expected = {key: tuple(shape) for key, shape, _ in golden.models[model_key]["keys"]}
    ours = {key: tuple(value.shape) for key, value in to_original_state_dict(net).items()}
    assert list(ours) == list(expected)
    for key, shape in expected.items():
        first, last = ours[key], shape
        if key.startswith(("predictorfc2", "out")) or not shape or key == "predictorfc1.bias":
            assert first == last, key
        elif key == "predictorfc1.weight":
            assert first == (512, (last[1] - 3) // 4 + 3)
        else:
            inputs = {3, 28}  # channels of the images, which no width changes
            wanted = [n // 4 if i == 0 or n not in inputs else n for i, n in enumerate(last[:2])]
            assert list(first[: len(wanted)]) == wanted, key


@pytest.mark.parametrize("model_key", sorted(MODEL_KEYS))
def test_any_input_size_and_a_batch_of_one(model_key: str) -> None:
    for input_size in (10, 30, 33, 64):
        net = small_net(model_key, input_size=input_size).eval()
        rgb, heatmap, head_pose = small_inputs(3, input_size)
        batch = net(rgb, heatmap, head_pose)
        alone = net(rgb[:1], heatmap[:1], head_pose[:1])
        assert batch.shape == (3, 2)
        torch.testing.assert_close(alone, batch[:1])


@pytest.mark.parametrize("model_key", sorted(MODEL_KEYS))
def test_every_input_and_every_parameter_matters(model_key: str) -> None:
    net = without_dropout(small_net(model_key)).double().train()
    inputs = [values.double().requires_grad_() for values in small_inputs(4)]
    net(*inputs).square().sum().backward()
    assert inputs[0].grad.abs().max() > 0
    assert inputs[2].grad.abs().max() > 0
    assert (inputs[1].grad is not None) == net.uses_heatmap
    missing = [name for name, parameter in net.named_parameters() if parameter.grad is None]
    assert missing == []


def test_the_baseline_needs_no_heatmap() -> None:
    net = small_net("baseline").eval()
    rgb, heatmap, head_pose = small_inputs()
    assert not net.uses_heatmap
    assert torch.equal(net(rgb, None, head_pose), net(rgb, heatmap, head_pose))


def test_dropout_acts_in_training_only() -> None:
    net, inputs = small_net("baseline", dropout=0.5, hidden=64), small_inputs()
    assert torch.equal(net.eval()(*inputs), net(*inputs))
    assert not torch.equal(net.train()(*inputs), net(*inputs))


def test_mmtm_equals_a_loop_over_channels() -> None:
    torch.manual_seed(0)
    mmtm = MMTM(6).double()
    rgb, heatmap = torch.rand(2, 2, 6, 5, 4, dtype=torch.float64)
    summary = mmtm.squeeze(torch.cat([rgb.mean((2, 3)), heatmap.mean((2, 3))], 1))
    ours = mmtm(rgb, heatmap)
    for stream, gate, values in zip(
        (rgb, heatmap), (mmtm.rgb_gate, mmtm.heatmap_gate), ours, strict=True
    ):
        weights = torch.sigmoid(gate(summary))
        for i in range(2):
            for channel in range(6):
                expected = 2 * stream[i, channel] * weights[i, channel]
                torch.testing.assert_close(values[i, channel], expected, rtol=1e-14, atol=0)


def test_mmtm_with_zero_gates_is_the_identity() -> None:
    mmtm = MMTM(6)
    for gate in (mmtm.rgb_gate, mmtm.heatmap_gate):
        torch.nn.init.zeros_(gate.weight)
        torch.nn.init.zeros_(gate.bias)
    rgb, heatmap = torch.rand(2, 2, 6, 5, 4)
    ours = mmtm(rgb, heatmap)
    assert torch.equal(ours[0], rgb)
    assert torch.equal(ours[1], heatmap)


def test_residual_block_leaves_its_input_alone_and_never_decreases_it() -> None:
    block = ResidualBlock(5, 5).eval()
    x = torch.rand(2, 5, 6, 6)
    before = x.clone()
    with torch.no_grad():
        assert (block(x) >= x).all()
    assert torch.equal(x, before)


def test_feature_side() -> None:
    assert [feature_side(size) for size in (10, 17, 18, 120, 121, 122)] == [1, 1, 2, 14, 14, 15]
    with pytest.raises(ValueError, match=r"input_size.* 9.* 10"):
        feature_side(9)
