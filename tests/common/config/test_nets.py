"""The nets of the configs: each runs forward, with the published settings unless told otherwise."""

import pytest
import torch
from builders.small_training import SMALL_NET
from builders.train_configs import choices, train_config

from common.runs.run import build_module


@pytest.mark.parametrize(
    ("model", "key", "rate"),
    [
        ("flame", "mmtm-fusion", 1e-4),
        ("flame_ao", "concatenated-fusion", 1e-4),
        ("flame_af", "additive-fusion", 5e-5),
        ("flame_b", "baseline", 1e-5),
    ],
)
def test_every_gaze_net_runs_forward_with_the_published_settings(
    model: str, key: str, rate: float
) -> None:
    config = train_config("data=columbiagaze", f"model={model}", *SMALL_NET)
    net = build_module(config).eval().net
    heatmap = torch.rand(2, 28, 120, 120) if net.uses_heatmap else None
    assert net(torch.rand(2, 3, 120, 120), heatmap, torch.rand(2, 3)).shape == (2, 2)
    scheduler = config["model"]["module"]["scheduler"]
    assert (config["model"]["key"], config["model"]["module"]["optimizer"]["lr"]) == (key, rate)
    assert (scheduler["milestones"], scheduler["gamma"]) == ([85, 120, 175], 0.5)
    assert config["trainer"]["max_epochs"] == 201
    assert config["data"]["datamodule"]["batch_size"] == 8
    assert config["model"]["net"]["dropout"] == 0.2


SMALL_LAM = ["model.backbone.width=4", "model.embedding=8", "model.lstm_hidden=8"]
SMALL_GAZEPOSE = [
    *("model.transformer.width=16", "model.transformer.heads=2"),
    *("model.transformer.feedforward=8", "model.transformer.num_encoder_layers=1"),
]


@pytest.mark.parametrize(
    ("model", "options", "rate", "dropout"),
    [
        ("gazelstm", [], 5e-5, "none"),
        *(("gaze_cone", [f"priors={priors}"], 5e-5, "none") for priors in ("head", "none")),
        *(
            ("gazepose", [f"priors={priors}", *SMALL_GAZEPOSE], 1e-4, "gaussian")
            for priors in choices("priors")
        ),
    ],
)
def test_every_eye_contact_net_runs_forward_with_the_published_settings(
    model: str, options: list[str], rate: float, dropout: str
) -> None:
    config = train_config("data=ego4d", f"model={model}", *SMALL_LAM, *options)
    net = build_module(config).eval().net
    asked = config["model"]["inputs"]
    head_bins = torch.zeros(1, 3, dtype=torch.int64) if asked.get("use_head") else None
    landmarks = torch.zeros(1, 15) if asked.get("use_landmarks") else None
    assert net(torch.rand(1, 7, 3, 64, 64), head_bins, landmarks).shape == (1, 2)
    module, data = config["model"]["module"], config["data"]["datamodule"]
    assert (module["optimizer"]["lr"], config["dropout"]["kind"]) == (rate, dropout)
    assert (module["scheduler"]["T_max"], module["scheduler"]["eta_min"]) == (10, 5e-6)
    assert (config["trainer"]["max_epochs"], data["batch_size"]) == (10, 64)
    assert (data["train_stride"], data["val_stride"], data["test_stride"]) == (3, 13, 1)
    checkpoint = config["callbacks"]["checkpoint"]
    assert (config["optimized_metric"], checkpoint["mode"]) == ("val/map", "max")


def test_gaze360_runs_forward() -> None:
    net = build_module(train_config("data=gaze_faces", "data.name=x", "model=gaze360", *SMALL_LAM))
    gaze, uncertainty = net.eval().net(torch.rand(2, 1, 3, 64, 64))
    assert (gaze.shape, uncertainty.shape) == ((2, 2), (2, 1))
