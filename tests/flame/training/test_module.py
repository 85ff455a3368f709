"""The Lightning module: pixel range, heatmaps, normalisation, and what travels with the weights."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from builders.small_training import one_thread
from builders.train_configs import train_config
from torch import nn

from common.runs.run import build_module
from flame import render_heatmaps
from flame.batch import GazeBatch
from flame.data.statistics import Statistics
from flame.evaluation.calibration import Calibration, write_calibration
from flame.nets.flame import Flame, FlameAF, FlameAO, FlameB
from flame.nets.parts import GazeNet
from flame.training import module as module_file
from flame.training.losses import VectorDifferenceLoss
from flame.training.module import GazeAngleModule

NETS = (Flame, FlameAO, FlameAF, FlameB)
RANGES = Statistics(gaze_min=-0.4, gaze_max=0.6, head_pose_min=-0.5, head_pose_max=1.0)


def batch(num: int = 4, size: int = 120) -> GazeBatch:
    generator = torch.Generator().manual_seed(0)
    return GazeBatch(
        rgb=torch.randint(0, 256, (num, 3, size, size), generator=generator, dtype=torch.uint8),
        landmarks=size * (0.25 + 0.5 * torch.rand(num, 112, generator=generator)),
        head_pose=torch.rand(num, 3, generator=generator) - 0.5,
        gaze=0.6 * torch.rand(num, 2, generator=generator) - 0.3,
        row=torch.arange(num),
        eye=torch.zeros(num, dtype=torch.int64),
    )


def small_net(net_class: type[GazeNet] = Flame) -> GazeNet:
    torch.manual_seed(0)
    return net_class(width=2, hidden=8)  # type: ignore[call-arg]


def small_module(net: GazeNet | None = None, **settings: Any) -> GazeAngleModule:
    defaults: dict[str, Any] = {
        "loss": VectorDifferenceLoss(),
        "optimizer": lambda parameters: torch.optim.Adam(parameters, lr=0.01),
        "statistics": RANGES,
    }
    return GazeAngleModule(net or small_net(), **(defaults | settings)).eval()


class FakeNet(GazeNet):
    """Keeps what it is fed and answers half."""

    def __init__(self) -> None:
        super().__init__(width=2, hidden=8)
        self.scale = nn.Parameter(torch.tensor(0.5))
        self.fed: tuple[Any, ...] = ()

    def forward(self, rgb: Any, heatmap: Any, head_pose: Any) -> torch.Tensor:
        self.fed = (rgb, heatmap, head_pose)
        return self.scale.expand(len(rgb), 2)


@pytest.mark.parametrize("net_class", [Flame, FlameB])
def test_the_prediction_is_the_nets_output_denormalised(net_class: type[GazeNet]) -> None:
    net, data = small_net(net_class).eval(), batch()
    heatmap = render_heatmaps(data["landmarks"], 120, 120)
    normalised = net(data["rgb"] / 255, heatmap, (data["head_pose"] + 0.5) / 1.5)
    torch.testing.assert_close(small_module(net)(data), normalised * 1.0 - 0.4)


def test_a_net_that_learnt_angles_beyond_their_range_says_the_same_direction_within() -> None:
    net = FakeNet()
    torch.nn.init.constant_(net.scale, 3.5)
    straight = torch.tensor([3.1 - torch.pi, torch.pi - 3.1]).expand(4, 2)
    torch.testing.assert_close(small_module(net)(batch()), straight)


def test_the_demos_first_steps_do_not_throw_the_gaze_around_the_circle() -> None:
    """Of directions at random the loss is 2, of the middle of the targets 0.06."""
    config = train_config("experiment=demo_gaze", "model=flame")
    torch.manual_seed(0)
    module, data = build_module(config), batch(8)
    module.statistics = RANGES
    optimizer = module.configure_optimizers()["optimizer"]
    losses = []
    for _ in range(8):
        losses.append(module.loss(module(data), data["gaze"]))
        optimizer.zero_grad()
        losses[-1].backward()
        optimizer.step()
    assert max(losses) < 0.5
    assert losses[-1] < losses[0]


def test_the_net_is_fed_normalised_inputs() -> None:
    net, data = FakeNet(), batch()
    prediction = small_module(net)(data)
    rgb, heatmap, head_pose = net.fed
    assert rgb.dtype == torch.float32
    assert (rgb.min(), rgb.max()) == (0, 1)
    assert heatmap.shape == (4, 28, 120, 120)
    torch.testing.assert_close(head_pose, (data["head_pose"] + 0.5) / 1.5)
    # Half of -0.4..0.6.
    torch.testing.assert_close(prediction, torch.full((4, 2), 0.1))


def test_byte_input_is_255_times_unit_input() -> None:
    unit, byte = FakeNet(), FakeNet()
    small_module(unit)(batch())
    small_module(byte, input_range="byte")(batch())
    torch.testing.assert_close(byte.fed[0], 255 * unit.fed[0])
    torch.testing.assert_close(byte.fed[1], unit.fed[1])


def test_an_unknown_input_range_is_refused() -> None:
    with pytest.raises(ValueError, match=r"'bits'.*'unit', 'byte'"):
        small_module(input_range="bits")


def test_the_baseline_renders_no_heatmap(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise AssertionError("rendered")

    monkeypatch.setattr(module_file, "render_heatmaps", refuse)
    small_module(small_net(FlameB))(batch())
    with pytest.raises(AssertionError, match="rendered"):
        small_module(small_net(Flame))(batch())


def test_the_memory_format_changes_no_number() -> None:
    expected = small_module(small_net())(batch())
    last = small_module(small_net(), channels_last=True)(batch())
    torch.testing.assert_close(last, expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("net_class", NETS)
def test_mixed_precision_keeps_angles_fine(net_class: type[GazeNet]) -> None:
    """bfloat16 has 8 bits: its steps near 0.5 are 0.004 of the range, 0.2 degrees here."""
    torch.manual_seed(0)
    net = net_class(width=4, hidden=16)  # type: ignore[call-arg]
    module, data = small_module(net), batch(num=8)
    with torch.no_grad():
        # An untrained net hardly moves: its angles are spread over half a degree at least.
        net.head.out.weight *= 0.5 / torch.rad2deg(module(data).std(dim=0).min())
    normalised: list[torch.Tensor] = []
    net.register_forward_hook(lambda _, __, output: normalised.append(output))
    with one_thread(), torch.inference_mode():
        expected = module(data)
        with torch.autocast("cpu", torch.bfloat16):
            found = module(data)
    fine, mixed = normalised
    assert mixed.dtype == found.dtype == torch.float32
    assert not torch.equal(fine, mixed)  # autocast did something
    on_a_step = mixed.bfloat16().float() == mixed
    assert on_a_step.float().mean() < 0.2
    assert torch.rad2deg((found - expected).abs().max()) < 0.2


def test_without_statistics_nothing_is_predicted() -> None:
    with pytest.raises(AssertionError, match="statistics"):
        small_module(statistics=None)(batch())


def test_ranges_travel_in_the_checkpoint() -> None:
    checkpoint: dict[str, Any] = {}
    small_module().on_save_checkpoint(checkpoint)
    other = small_module(statistics=None)
    other.on_load_checkpoint(checkpoint)
    assert other.statistics == RANGES


def test_the_frame_of_the_angles_travels_with_the_weights() -> None:
    checkpoint: dict[str, Any] = {}
    module, other = small_module(), small_module()
    module.gaze_frame = "normalised"
    module.on_save_checkpoint(checkpoint)
    other.on_load_checkpoint(checkpoint)
    assert other.gaze_frame == "normalised"
    # Checkpoints from before there were two frames.
    del checkpoint["gaze_frame"]
    other.on_load_checkpoint(checkpoint)
    assert other.gaze_frame == "camera"


def test_ranges_and_frame_come_from_the_training_data() -> None:
    class Data:
        gaze_frame = "normalised"

        def statistics(self) -> Statistics:
            return RANGES

    module = small_module(statistics=None)
    module.adopt(Data())
    assert module.statistics == RANGES
    assert module.gaze_frame == "normalised"


def test_the_scheduler_belongs_to_the_optimizer() -> None:
    module = small_module(
        scheduler=lambda optimizer: torch.optim.lr_scheduler.MultiStepLR(optimizer, [1])
    )
    configured = module.configure_optimizers()
    assert configured["lr_scheduler"].optimizer is configured["optimizer"]
    assert isinstance(small_module().configure_optimizers(), torch.optim.Adam)


@pytest.mark.parametrize("net_class", NETS)
def test_one_batch_can_be_learned_by_heart(net_class: type[GazeNet]) -> None:
    torch.manual_seed(0)
    net = net_class(width=2, hidden=16, dropout=0.0, input_size=40)  # type: ignore[call-arg]
    module, data = small_module(net).train(), batch(size=40)
    optimizer = module.configure_optimizers()
    losses = []
    with one_thread():
        for _ in range(40):
            loss = module.loss(module(data), data["gaze"])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    assert losses[-1] < 0.1 * losses[0]


def test_test_steps_return_what_results_need() -> None:
    module, data = small_module(), batch()
    module.log = lambda *_, **__: None  # type: ignore[method-assign]
    output = module.test_step(data, 0)
    torch.testing.assert_close(output["prediction"], module(data))
    assert set(output) == {"prediction", "gaze", "row", "eye"}
    assert output["row"] is data["row"]


def test_a_persons_calibration_is_in_what_a_module_says(tmp_path: Path) -> None:
    module = small_module()
    person = Calibration(np.array([[1.1, 0.0], [0.1, 0.9]]), np.array([0.05, -0.02]))
    described = {"run": "r", "model": "m", "trained_on": "d"}
    described |= {"gaze_convention": "c", "gaze_frame": module.gaze_frame}
    write_calibration(tmp_path, "me", person, module.net, described)
    before = module(batch()).detach()
    module.calibrate(tmp_path / "me.json", {"recipe": {"gaze_convention": "c"}})
    expected = before.numpy() @ person.matrix.T + person.offset
    np.testing.assert_allclose(module(batch()).detach(), expected, atol=1e-6)
    with pytest.raises(ValueError, match=r"me\.json.*'c'.*'other'"):
        module.calibrate(tmp_path / "me.json", {"recipe": {"gaze_convention": "other"}})
