import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from builders import golden_nets as golden
from builders.small_nets import (
    FRAMES,
    save_checkpoint_of,
    small_gaze360,
    small_gaze_cone,
    small_gazelstm,
    small_gazepose,
)
from torch import Tensor, nn

from common.geometry import mirror_gaze
from gazepose import load_net
from gazepose.nets.backbones import TorchvisionBackbone, resnet18
from gazepose.nets.gaze360 import Gaze360
from gazepose.nets.gazelstm import GazeLSTM
from gazepose.originals.files import read_state_dict
from gazepose.originals.names import Kind, kind_of_weights
from gazepose.originals.start_weights import start_net
from gazepose.originals.weights import load_original, original_state_dict

PRIORS = {"all": (True, True), "head": (True, False), "landmarks": (False, True)}
PRIORS["none"] = (False, False)


def small_baseline(seed: int = 0) -> GazeLSTM:
    return small_gazelstm(seed, head_hidden=(5,))


def assert_same(ours: dict[str, Tensor], theirs: dict[str, Tensor]) -> None:
    assert set(ours) == set(theirs)
    for key, value in ours.items():
        assert torch.equal(value, theirs[key]), key


def saved(path: Path, content: Any) -> Path:
    torch.save(content, path)
    return path


def clip(num_clips: int = 2) -> Tensor:
    return torch.randn(num_clips, 7, 3, 64, 64, generator=torch.Generator().manual_seed(5))


@pytest.mark.parametrize(
    ("priors", "prefix"),
    [("all", "module."), ("head", ""), ("landmarks", "module."), ("none", "")],
)
def test_gazepose_round_trip(priors: str, prefix: str) -> None:
    use_head, use_landmarks = PRIORS[priors]
    net = small_gazepose(use_head=use_head, use_landmarks=use_landmarks)
    state = [(prefix + key, value) for key, value in original_state_dict(net).items()]
    random.Random(0).shuffle(state)
    before = torch.get_rng_state()
    loaded = load_net("gazepose", dict(state), priors, heads=2)
    assert torch.equal(torch.get_rng_state(), before)
    assert not loaded.training
    assert (loaded.uses_head, loaded.uses_landmarks) == (use_head, use_landmarks)
    assert_same(loaded.state_dict(), net.state_dict())
    inputs = clip(), torch.full((2, 3), 7), torch.zeros(2, 15)
    assert torch.equal(loaded(*inputs), net.eval()(*inputs))


@pytest.mark.parametrize("make", [small_gazelstm, small_baseline])
def test_gazelstm_round_trip(make: Any) -> None:
    net = make()
    loaded = load_net("gazelstm", original_state_dict(net))
    assert_same(loaded.state_dict(), net.state_dict())
    assert torch.equal(loaded(clip()), net.eval()(clip()))


def test_other_steps_of_the_priors_are_given() -> None:
    net = small_gazepose(split=5.0, dsplit=0.2, csplit=0.5)
    state = original_state_dict(net)
    loaded = load_net("gazepose", state, split=5.0, dsplit=0.2, csplit=0.5, heads=2)
    assert_same(loaded.state_dict(), net.state_dict())
    with pytest.raises(ValueError, match=r" 5 .*yaw_embed\.weight.*\(19, 16\)"):
        load_net("gazepose", state, heads=2)


def test_names_are_the_originals() -> None:
    # Their count and shapes are checked at full size in test_golden.py.
    assert set(original_state_dict(small_gazelstm())) == set(golden.gazelstm_state())
    assert set(original_state_dict(small_baseline())) == set(golden.baseline_state())
    names = set(original_state_dict(small_gaze360()))
    assert names == set(golden.gazelstm_state())


def test_float64_stays_float64_and_weights_are_copied() -> None:
    state = original_state_dict(small_gazelstm().double())
    net = load_net("gazelstm", state)
    assert {value.dtype for value in net.parameters()} == {torch.float64}
    with torch.no_grad():
        net.last[0].bias.add_(1)
    assert not torch.equal(net.last[0].bias, state["last_layer.bias"])
    assert net(clip().double()).dtype == torch.float64


def test_gaze360_looks_the_other_way_in_its_own_frame() -> None:
    state = original_state_dict(small_gaze360())
    theirs = GazeLSTM(resnet18(4), num_outputs=3, **FRAMES).eval()
    theirs.load_state_dict(load_net("gaze360", state).state_dict())
    with torch.no_grad():
        # What Gaze360's own last layer gives, before its tanh.
        theirs.last[0].weight.copy_(state["last_layer.weight"])
        theirs.last[0].bias.copy_(state["last_layer.bias"])
        raw = theirs(clip())
        published = torch.stack([raw[:, 0].tanh(), raw[:, 1].tanh() / 2], 1) * torch.pi
        net = load_net("gaze360", state)
        assert isinstance(net, Gaze360)
        gaze, uncertainty = net(clip())
    torch.testing.assert_close(gaze, mirror_gaze(published), rtol=1e-6, atol=1e-7)
    torch.testing.assert_close(uncertainty[:, 0], torch.pi * raw[:, 2].sigmoid())
    assert_same(original_state_dict(net), state)
    assert_same(net.state_dict(), small_gaze360().state_dict())


def gaze360_file(path: Path, seed: int = 3) -> tuple[Path, Gaze360]:
    """As Gaze360's authors publish it: names, DataParallel, best score as a NumPy number."""
    net = small_gaze360(seed)
    state = {f"module.{key}": value for key, value in original_state_dict(net).items()}
    content = {"epoch": 73, "state_dict": state, "best_prec1": np.float64(11.4)}
    return saved(path / "gaze360_model.pth.tar", content), net


@pytest.mark.parametrize("part", ["backbone", "all"])
@pytest.mark.parametrize("make", [small_gazelstm, small_gazepose, small_baseline])
def test_a_start_from_gaze360(tmp_path: Path, make: Any, part: Any) -> None:
    path, gaze360 = gaze360_file(tmp_path)
    net, untouched = make(), make()
    report = start_net(net, path, part)
    for name, value in net.state_dict().items():
        is_shared = name.startswith(("backbone.", "embedding.", "lstm."))
        expected = gaze360 if is_shared else untouched
        assert torch.equal(value, expected.state_dict()[name]), name
        assert (name in report.matched) == is_shared
        assert (name in report.missing) == (not is_shared)
    assert set(report.dropped) == {"last_layer.weight", "last_layer.bias"}
    text = str(report)
    first, *others = text.splitlines()
    assert all(fact in first for fact in (str(path), "Gaze360", f"{len(report.matched)} entries"))
    assert any("2 of the file" in line and "last_layer" in line for line in others)
    assert len(others) <= 4


def test_the_reason_of_a_dropped_classifier_names_the_shapes(tmp_path: Path) -> None:
    path, _ = gaze360_file(tmp_path)
    report = start_net(small_gazelstm(), path, "all")
    why = report.dropped["last_layer.weight"]
    assert all(fact in why for fact in ("last_layer.weight", "(3, 12)", "(2, 12)"))
    report = start_net(small_gazelstm(), path, "backbone")
    assert "backbone" in report.dropped["last_layer.bias"]


def test_a_bias_that_fits_by_chance_does_not_come_without_its_weight(tmp_path: Path) -> None:
    path = saved(tmp_path / "gazelstm.pth", original_state_dict(small_gazelstm(1)))
    net = small_gazepose()
    report = start_net(net, path, "all")
    assert set(report.dropped) == {"last_layer.weight", "last_layer.bias"}
    assert torch.equal(net.last[1].bias, small_gazepose().last[1].bias)


def test_all_of_a_net_like_ours_is_taken(tmp_path: Path) -> None:
    theirs = small_gazepose(1)
    path = saved(tmp_path / "gazepose.pth", {"state_dict": original_state_dict(theirs)})
    net = small_gazepose(2)
    report = start_net(net, path, "all")
    assert (report.dropped, report.missing) == ({}, {})
    assert_same(net.state_dict(), theirs.state_dict())


@pytest.mark.parametrize("make", [small_gazelstm, small_gazepose])
def test_a_start_from_gaze_pretraining(tmp_path: Path, make: Any) -> None:
    pretrained = small_gaze360(4)
    path = save_checkpoint_of(tmp_path / "best.ckpt", pretrained)
    net = make()
    report = start_net(net, path, "backbone")
    assert "this suite" in str(report)
    assert type(net).__name__ in report.dropped["loss.weight"]
    for name in report.matched:
        assert torch.equal(net.state_dict()[name], pretrained.state_dict()[name])
    assert len(report.matched) == len(pretrained.state_dict()) - 2
    with pytest.raises(ValueError, match=r"this suite.*run=RUN"):
        load_original(net, path)


def test_a_suite_checkpoint_keeps_gaze_in_the_suites_frame(tmp_path: Path) -> None:
    path = save_checkpoint_of(tmp_path / "best.ckpt", small_gaze360(4))
    net = small_gaze360()
    start_net(net, path, "all")
    assert_same(net.state_dict(), small_gaze360(4).state_dict())
    path, theirs = gaze360_file(tmp_path)
    start_net(net, path, "all")
    assert_same(net.state_dict(), theirs.state_dict())


def test_eye_contact_by_gaze_takes_gaze360s_last_layer(tmp_path: Path) -> None:
    path, theirs = gaze360_file(tmp_path)
    for start in (path, save_checkpoint_of(tmp_path / "best.ckpt", theirs)):
        net = small_gaze_cone()
        report = start_net(net, start, "all")
        assert_same(net.state_dict(), theirs.state_dict())
        assert not report.missing
    assert_same(original_state_dict(net), original_state_dict(theirs))


def test_a_suite_checkpoint_starts_other_backbones_as_well(tmp_path: Path) -> None:
    theirs = GazeLSTM(TorchvisionBackbone("mobilenet_v3_small"), **FRAMES)
    net = GazeLSTM(TorchvisionBackbone("mobilenet_v3_small"), **FRAMES)
    start_net(net, save_checkpoint_of(tmp_path / "best.ckpt", theirs), "backbone")
    assert_same(net.backbone.state_dict(), theirs.backbone.state_dict())
    path = saved(tmp_path / "gazelstm.pth", original_state_dict(small_gazelstm()))
    with pytest.raises(ValueError, match=r"ResNet-18.*TorchvisionTrunk.*backbones\.resnet18"):
        start_net(net, path, "backbone")
    with pytest.raises(ValueError, match=r"ResNet-18.*TorchvisionTrunk.*backbones\.resnet18"):
        original_state_dict(net)


def test_a_start_of_another_width_changes_nothing(tmp_path: Path) -> None:
    path, _ = gaze360_file(tmp_path)
    net = GazeLSTM(resnet18(8), **FRAMES)
    before = {key: value.clone() for key, value in net.state_dict().items()}
    with pytest.raises(ValueError, match=r"Gaze360.* GazeLSTM.*model\.backbone"):
        start_net(net, path, "backbone")
    assert_same(net.state_dict(), before)


def test_weights_of_something_else_start_nothing(tmp_path: Path) -> None:
    path = saved(tmp_path / "other.pth", {"conv.weight": torch.zeros(1)})
    with pytest.raises(ValueError, match=r"other\.pth.*unknown.* GazePose.* 1\d\d missing"):
        start_net(small_gazepose(), path, "all")
    # A run of the other line has none of these parts.
    path = saved(tmp_path / "flame.ckpt", {"state_dict": {"net.head.out.bias": torch.zeros(2)}})
    with pytest.raises(ValueError, match=r"flame\.ckpt.* GazeLSTM.* 1\d\d missing"):
        start_net(small_gazelstm(), path, "backbone")


@pytest.mark.parametrize(
    "make", [small_gazelstm, small_gazepose, small_baseline, small_gaze360, small_gaze_cone]
)
def test_whole_files_load_into_nets(tmp_path: Path, make: Any) -> None:
    theirs = make(1)
    state = {f"module.{key}": value for key, value in original_state_dict(theirs).items()}
    net = make(2)
    report = load_original(net, saved(tmp_path / "best.pth", {"epoch": 3, "state_dict": state}))
    assert_same(net.state_dict(), theirs.state_dict())
    assert len(report.matched) == len(theirs.state_dict())
    assert (report.dropped, report.missing) == ({}, {})


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (
            lambda s: {k: v for k, v in s.items() if "fusion" not in k},
            r" 2 missing.*fusion_layer\.weight",
        ),
        (lambda s: {**s, "extra": torch.zeros(1)}, r" 1 unexpected.*extra"),
        (
            lambda s: {**s, "last_layer.bias": torch.zeros(3)},
            r" 1 .*last_layer\.bias.*\(3,\).*\(2,\)",
        ),
    ],
)
def test_a_file_that_does_not_fit_changes_nothing(
    tmp_path: Path, damage: Any, message: str
) -> None:
    path = saved(tmp_path / "x.pth", damage(original_state_dict(small_gazepose(1))))
    net = small_gazepose()
    before = {key: value.clone() for key, value in net.state_dict().items()}
    with pytest.raises(ValueError, match=message):
        load_original(net, path)
    assert_same(net.state_dict(), before)


def test_another_nets_file_is_named(tmp_path: Path) -> None:
    path = saved(tmp_path / "x.pth", original_state_dict(small_baseline()))
    with pytest.raises(ValueError, match=r"x\.pth.* GazeLSTM.*head_hidden=\[128\]"):
        load_original(small_gazelstm(), path)
    path, _ = gaze360_file(tmp_path)
    with pytest.raises(ValueError, match=r"gaze360_model\.pth\.tar.* GazePose.* Gaze360"):
        load_original(small_gazepose(), path)
    with pytest.raises(ValueError, match=r" Gaze360"):
        load_net("gazelstm", read_state_dict(path))


def test_wrong_priors_are_named() -> None:
    state = original_state_dict(small_gazepose(use_landmarks=False))
    with pytest.raises(ValueError, match="priors=head"):
        load_net("gazepose", state, "all", heads=2)
    state = original_state_dict(small_gazepose())
    with pytest.raises(ValueError, match="priors=all"):
        load_net("gazepose", state, "none", heads=2)


def test_unknown_names() -> None:
    with pytest.raises(ValueError, match=r"'gaze'.*'gazepose', 'gazelstm', 'gaze360'"):
        load_net("gaze", {})
    with pytest.raises(ValueError, match=r"'both'.*'all', 'head', 'landmarks', 'none'"):
        load_net("gazepose", {}, "both")
    with pytest.raises(ValueError, match=r" 1 .*'base_model\.conv1\.weight'"):
        load_net("gazepose", {"epoch": torch.zeros(1)})
    with pytest.raises(ValueError, match=r"Linear .*originals"):
        original_state_dict(nn.Linear(1, 1))
    assert kind_of_weights({}) is Kind.UNKNOWN


class Harmful:
    def __reduce__(self) -> tuple[Any, ...]:
        return print, ("code from a checkpoint ran",)


def test_files_without_weights_are_refused(tmp_path: Path, capsys: Any) -> None:
    path = tmp_path / "damaged.pth"
    saved(path, {"epoch": 1})
    with pytest.raises(ValueError, match=r"damaged\.pth.* epoch.*state_dict"):
        read_state_dict(path)
    saved(path, {"state_dict": {}})
    with pytest.raises(ValueError, match=r"damaged\.pth.* weights"):
        read_state_dict(path)
    saved(path, {"state_dict": Harmful()})
    with pytest.raises(ValueError, match=r"damaged\.pth.* tensors"):
        read_state_dict(path)
    assert "ran" not in capsys.readouterr().out


@pytest.mark.parametrize("is_zip", [True, False])
def test_old_and_new_files_are_read(tmp_path: Path, is_zip: bool) -> None:
    state = {"a.weight": torch.arange(3.0)}
    path = tmp_path / "model.pth.tar"
    torch.save(
        {"best_prec1": np.float32(0.5), "state_dict": state},
        path,
        _use_new_zipfile_serialization=is_zip,
    )
    assert_same(read_state_dict(path), state)
    torch.save(state, path, _use_new_zipfile_serialization=is_zip)
    assert_same(read_state_dict(path), state)


@pytest.mark.slow
def test_published_sizes_load_from_files(tmp_path: Path) -> None:
    state = {f"module.{key}": value for key, value in golden.gazelstm_state().items()}
    for part in ("weight", "bias"):
        shape = (3, 512) if part == "weight" else (3,)
        state[f"module.last_layer.{part}"] = golden.filled(f"last_layer.{part}", shape)
    content = {"epoch": 50, "state_dict": state, "best_prec1": torch.tensor(11.0)}
    path = saved(tmp_path / "gaze360_model.pth.tar", content)
    net = golden.gazepose("h1l1")
    report = start_net(net, path, "backbone")
    assert len(report.matched) == 140
    assert set(report.dropped) == {"last_layer.weight", "last_layer.bias"}
    with torch.no_grad():
        # The recording's shared weights are the same, so that its logits stay.
        logits = net(golden.clip(), golden.head_bins(), golden.landmarks())
    golden.assert_recorded(logits, "h1l1.logits")
