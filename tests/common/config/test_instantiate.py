"""Configs become objects."""

from typing import Any

import pytest
import torch
from hydra.errors import InstantiationException

from common.config.instantiate import build


def test_nested_configs_are_built_inside_out() -> None:
    config = {
        "_target_": "torch.nn.Sequential",
        "_args_": [
            {"_target_": "torch.nn.Linear", "in_features": 3, "out_features": 2},
            {"_target_": "torch.nn.ReLU"},
        ],
    }
    net = build(config)
    assert [type(layer).__name__ for layer in net] == ["Linear", "ReLU"]
    assert net(torch.zeros(4, 3)).shape == (4, 2)


def test_partial_targets_wait_for_their_argument() -> None:
    make = build({"_target_": "torch.optim.Adam", "_partial_": True, "lr": 0.5})
    optimizer = make([torch.nn.Parameter(torch.zeros(1))])
    assert optimizer.param_groups[0]["lr"] == 0.5


def test_given_objects_arrive_as_they_are() -> None:
    """A logger or callback that were copied would be told nothing of the run."""
    layers = [torch.nn.ReLU()]
    built = build({"_target_": "torch.nn.ModuleList"}, modules=layers)
    assert built[0] is layers[0]


def test_lists_and_mappings_arrive_as_pythons_own() -> None:
    config = {
        "_target_": "torch.optim.lr_scheduler.MultiStepLR",
        "_partial_": True,
        "milestones": [1, 2],
    }
    arguments = build(config).keywords
    assert type(arguments["milestones"]) is list


def test_an_argument_that_a_nested_class_lacks_is_named_with_those_it_has() -> None:
    config = {
        "_target_": "gazepose.evaluation.callback.LamTestResults",
        "smoothing": {"_target_": "gazepose.evaluation.smoothing.TrackSmoothing", "kind": "none"},
    }
    with pytest.raises(ValueError, match=r"TrackSmoothing .*\bwidth, .*kind, width_frames"):
        build(config, smoothing={"kind": "median", "width": 5})
    with pytest.raises(ValueError, match=r"LamTestResults .*\bsmooth, .*smoothing"):
        build(config, smooth={"kind": "median"})


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"min_iou": "much"}, 'TrackingSettings: min_iou is "much", expected a number'),
        ({"max_gap": 2.5}, "TrackingSettings: max_gap is 2.5, expected a whole number"),
        ({"max_gap": True}, "TrackingSettings: max_gap is true, expected a whole number"),
    ],
)
def test_settings_of_another_kind_are_named(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        build({"_target_": "common.faces.tracking.TrackingSettings", **given})


def test_arguments_that_are_missing_are_named() -> None:
    config = {"_target_": "flame.prediction.predictor.PhotoPredictor", "module": None}
    with pytest.raises(ValueError, match="PhotoPredictor lacks analyzer, box_margin"):
        build(config)


def test_a_partial_target_is_checked_before_it_is_called() -> None:
    with pytest.raises(ValueError, match=r"Adam .*learning_rate, .*params, lr, "):
        build({"_target_": "torch.optim.Adam", "_partial_": True, "learning_rate": 0.5})


def test_a_users_error_is_told_as_it_was_raised() -> None:
    with pytest.raises(ValueError, match="nowhere"):
        build({"_target_": "common.store.reading.FaceStore", "store_dir": "nowhere"})


def test_what_a_user_types_is_free() -> None:
    assert build({"_target_": "collections.Counter", "red": 3}) == {"red": 3}


@pytest.mark.parametrize("target", ["common.runs.snapshot.subprocess.run", "torch.os.system"])
def test_what_hydra_blocks_is_not_reached_through_the_suites_libraries(target: str) -> None:
    with pytest.raises(InstantiationException, match="blocklisted"):
        build({"_target_": target, "_args_": ["true"]})


def test_a_target_that_is_not_there_is_named() -> None:
    with pytest.raises(InstantiationException, match=r"torch\.nn\.Lineal"):
        build({"_target_": "torch.nn.Lineal"})


def test_a_misspelt_argument_of_a_library_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"Trainer .*max_epoch, .*max_epochs"):
        build({"_target_": "pytorch_lightning.Trainer", "max_epoch": 3, "logger": False})
