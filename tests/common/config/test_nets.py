"""The nets of the configs: each runs forward, with the published settings unless told otherwise."""

import pytest
import torch
from builders.small_training import SMALL_NET
from builders.train_configs import choices, train_config

from common.runs.run import build_module


@pytest.mark.parametrize("model", ["flame", "flame_ao", "flame_af", "flame_b"])
def test_every_gaze_net_runs_forward(model: str) -> None:
    module = build_module(train_config("data=columbiagaze", f"model={model}", *SMALL_NET)).eval()
    heatmap = torch.rand(2, 28, 120, 120) if module.net.uses_heatmap else None
    prediction = module.net(torch.rand(2, 3, 120, 120), heatmap, torch.rand(2, 3))
    assert prediction.shape == (2, 2)


SMALL_LAM = ["model.backbone.width=4", "model.embedding=8", "model.lstm_hidden=8"]
SMALL_GAZEPOSE = [
    *("model.transformer.width=16", "model.transformer.heads=2"),
    *("model.transformer.feedforward=8", "model.transformer.num_encoder_layers=1"),
]


@pytest.mark.parametrize(
    ("model", "options"),
    [
        ("gazelstm", []),
        *(("gazepose", [f"priors={priors}", *SMALL_GAZEPOSE]) for priors in choices("priors")),
    ],
)
def test_every_eye_contact_net_runs_forward(model: str, options: list[str]) -> None:
    config = train_config("data=ego4d", f"model={model}", *SMALL_LAM, *options)
    net = build_module(config).eval().net
    asked = config["model"]["inputs"]
    head_bins = torch.zeros(1, 3, dtype=torch.int64) if asked.get("use_head") else None
    landmarks = torch.zeros(1, 15) if asked.get("use_landmarks") else None
    assert net(torch.rand(1, 7, 3, 64, 64), head_bins, landmarks).shape == (1, 2)


def test_gaze360_runs_forward() -> None:
    net = build_module(train_config("data=gaze_faces", "data.name=x", "model=gaze360", *SMALL_LAM))
    gaze, uncertainty = net.eval().net(torch.rand(2, 1, 3, 64, 64))
    assert (gaze.shape, uncertainty.shape) == ((2, 2), (2, 1))


def test_the_published_settings_are_the_default() -> None:
    rates = {"flame": 1e-4, "flame_ao": 1e-4, "flame_af": 5e-5, "flame_b": 1e-5}
    keys = {
        "flame": "mmtm-fusion",
        "flame_ao": "concatenated-fusion",
        "flame_af": "additive-fusion",
        "flame_b": "baseline",
    }
    for model, rate in rates.items():
        config = train_config("data=columbiagaze", f"model={model}")
        assert config["model"]["key"] == keys[model]
        assert config["model"]["module"]["optimizer"]["lr"] == rate
        scheduler = config["model"]["module"]["scheduler"]
        assert (scheduler["milestones"], scheduler["gamma"]) == ([85, 120, 175], 0.5)
        assert config["trainer"]["max_epochs"] == 201
        assert config["data"]["datamodule"]["batch_size"] == 8
        assert config["model"]["net"]["dropout"] == 0.2


def test_the_published_settings_of_eye_contact_are_the_default() -> None:
    for model, rate, dropout in (("gazepose", 1e-4, "gaussian"), ("gazelstm", 5e-5, "none")):
        config = train_config("data=ego4d", f"model={model}")
        module, data = config["model"]["module"], config["data"]["datamodule"]
        assert module["optimizer"]["lr"] == rate
        assert (module["scheduler"]["T_max"], module["scheduler"]["eta_min"]) == (10, 5e-6)
        assert (config["trainer"]["max_epochs"], data["batch_size"]) == (10, 64)
        assert (data["train_stride"], data["val_stride"], data["test_stride"]) == (3, 13, 1)
        assert config["dropout"]["kind"] == dropout
        assert (config["optimized_metric"], config["callbacks"]["checkpoint"]["mode"]) == (
            "val/map",
            "max",
        )
