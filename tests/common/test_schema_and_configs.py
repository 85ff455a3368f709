"""The configs: everything composes, what is misspelt is an error, runs have plain folders."""

from __future__ import annotations

import subprocess
import sys
from itertools import product
from pathlib import Path

import pytest
import torch
from hydra import compose, initialize_config_dir
from hydra.core.hydra_config import HydraConfig
from hydra.errors import ConfigCompositionException, InstantiationException
from omegaconf import OmegaConf, open_dict
from small_run import REPO_DIR, SMALL_NET, composed

from common import schema
from common.instantiate import build
from common.resolvers import run_dir
from common.run import build_module

CONF_DIR = REPO_DIR / "conf"
SHARED = {"gaze", "lam", "gaze_angle", "eye_contact"}  # parts of other files, no choices themselves


def choices(group: str) -> list[str]:
    folder = CONF_DIR / group
    return sorted(path.stem for path in folder.glob("*.yaml") if path.stem not in SHARED)


def chosen(data: str) -> list[str]:
    """Choose a data set; some hold whatever their owner calls it."""
    needs_name = data in ("flame_layout", "gaze_faces")
    return [f"data={data}", *(["data.name=mine"] if needs_name else [])]


def line_of(group: str, name: str) -> str:
    """The line a model or data set belongs to."""
    given = chosen(name) if group == "data" else [f"{group}={name}"]
    other = ["model=flame"] if group == "data" else ["data=columbiagaze"]
    return str(train_config(*given, *other)[group]["line"])


def pairs() -> list[tuple[str, str]]:
    """Every data set with every model of its line."""
    lines = {name: line_of("data", name) for name in choices("data")}
    models = {name: line_of("model", name) for name in choices("model")}
    return [(d, m) for d, m in product(lines, models) if lines[d] == models[m]]


def train_config(*overrides: str) -> dict:
    """A train config as a script would see it; run folders need a running Hydra."""
    return composed("train", "paths.run_dir=RUN", *overrides)


def test_there_are_configs_to_test() -> None:
    assert {"flame", "flame_ao", "flame_af", "flame_b"} <= set(choices("model"))
    assert {"gazepose", "gazelstm"} <= set(choices("model"))
    assert {"columbiagaze", "eyediap", "flame_layout", "demo_gaze"} <= set(choices("data"))
    assert {"ego4d", "face_imgs", "demo_lam"} <= set(choices("data"))


@pytest.mark.parametrize(("data", "model"), pairs())
def test_every_data_set_goes_with_every_model_of_its_line(data: str, model: str) -> None:
    config = train_config(*chosen(data), f"model={model}")
    assert config["model"]["name"] == model
    assert config["name"] == f"{model}_{config['data']['name']}"
    if "results" in config["model"]["callbacks"]:
        assert config["model"]["callbacks"]["results"]["trained_on"] == config["data"]["name"]
    assert config["data"]["datamodule"]["store_dir"] == f"data/stores/{config['data']['name']}"


@pytest.mark.parametrize("data", [name for name in choices("data") if name != "gaze_faces"])
def test_every_data_set_can_be_preprocessed_and_predicted(data: str) -> None:
    preprocess = composed("preprocess", *chosen(data), "paths.run_dir=RUN", "data.raw_dir=RAW")
    preprocessor = preprocess["data"]["preprocessor"]
    assert preprocessor.get("reader", preprocessor)["raw_dir"] == "RAW"
    predict = composed("predict", *chosen(data), "model=flame", "paths.run_dir=RUN")
    assert predict["data"]["datamodule"]["name"] == predict["data"]["name"]


@pytest.mark.parametrize("experiment", choices("experiment"))
def test_every_experiment_composes(experiment: str) -> None:
    config = train_config(*required(experiment), f"experiment={experiment}")
    build_module(small(config))


def required(experiment: str) -> list[str]:
    """Data and model for an experiment that does not choose them itself."""
    text = (CONF_DIR / "experiment" / f"{experiment}.yaml").read_text()
    is_eye_contact = "/data: demo_lam" in text
    defaults = {"data": "demo_gaze", "model": "gazepose" if is_eye_contact else "flame"}
    return [f"{group}={name}" for group, name in defaults.items() if f"/{group}:" not in text]


def small(config: dict) -> dict:
    """The config with a net that is quickly built; the demo's of eye contact are."""
    is_gaze_angle = config["model"]["line"] == "gaze_angle"
    sizes = {"width": 2, "hidden": 8} if is_gaze_angle else {}
    module = {**config["model"]["module"], "net": {**config["model"]["net"], **sizes}}
    return {**config, "model": {**config["model"], "module": module}}


@pytest.mark.parametrize("debug", choices("debug"))
def test_every_debug_config_composes(debug: str) -> None:
    config = train_config("data=columbiagaze", "model=flame", f"debug={debug}")
    assert "checkpoint" not in config["callbacks"]
    build(config["trainer"], logger=False, enable_checkpointing=False, accelerator="cpu")


@pytest.mark.parametrize("logger", choices("logger"))
def test_every_logger_composes(logger: str) -> None:
    config = train_config("data=columbiagaze", "model=flame", f"logger={logger}")
    assert all("_target_" in item for item in config["logger"].values() if item is not None)


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


@pytest.mark.parametrize(
    ("data", "model", "option"),
    [
        ("face_imgs", "gazepose", "data.reader.parts=[val]"),
        ("face_imgs", "gazepose", "data.reader.track_rule=repaired"),
        ("ego4d", "gazepose", "model.backbone.weights=imagenet"),
        ("ego4d", "gazelstm", "model.backbone.frozen=true"),
        ("ego4d", "gazelstm", "model.net.head_hidden=[128]"),
        ("ego4d", "gazelstm", "data.datamodule.drop_last=true"),
    ],
)
def test_what_messages_name_can_be_typed(data: str, model: str, option: str) -> None:
    train_config(f"data={data}", f"model={model}", option)


@pytest.mark.parametrize(
    ("typo", "key"),
    [("priors.hed=true", "hed"), ("dropout.kid=none", "kid"), ("model.imagesize=1", "imagesize")],
)
def test_a_misspelt_prior_or_dropout_is_an_error(typo: str, key: str) -> None:
    with pytest.raises(ConfigCompositionException, match=key):
        train_config("data=ego4d", "model=gazepose", typo)


@pytest.mark.parametrize(
    "typo",
    [
        "sed=1",
        "data.store_dri=x",
        "data.datamodul.batch_size=4",
        "model.widht=4",
        "model.learning_rat=1",
        "paths.runs=x",
        "ckpt=x",
    ],
)
def test_a_misspelt_key_of_ours_is_an_error(typo: str) -> None:
    with pytest.raises(ConfigCompositionException, match="Could not override"):
        train_config("data=columbiagaze", "model=flame", typo)


def test_a_misspelt_key_in_a_file_of_ours_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "conf" / "experiment" / "mine.yaml"
    file.parent.mkdir(parents=True)
    file.write_text("# @package _global_\nmodel:\n  widht: 4\n")
    searched = f"hydra.searchpath=[{tmp_path / 'conf'}]"
    with pytest.raises(ConfigCompositionException, match="widht"):
        train_config("data=columbiagaze", "model=flame", searched, "experiment=mine")


def test_a_value_of_the_wrong_type_is_an_error() -> None:
    with pytest.raises(ConfigCompositionException, match="wide"):
        train_config("data=columbiagaze", "model=flame", "model.width=wide")


@pytest.mark.parametrize("typo", ["trainer.max_epoch=3", "+trainer.max_epoch=3"])
def test_a_misspelt_key_of_a_library_is_an_error_before_training(typo: str) -> None:
    def build_trainer() -> None:
        config = train_config("data=columbiagaze", "model=flame", typo)
        build(config["trainer"], logger=False)

    with pytest.raises((ConfigCompositionException, InstantiationException), match="max_epoch"):
        build_trainer()


@pytest.mark.parametrize("typo", ["data.datamodule.batchsize=4", "model.net.depth=4"])
def test_a_misspelt_argument_of_our_classes_is_an_error(typo: str) -> None:
    def build_all() -> None:
        config = train_config("data=columbiagaze", "model=flame", *SMALL_NET, typo)
        build(config["data"]["datamodule"])
        build_module(config)

    with pytest.raises((ConfigCompositionException, InstantiationException), match=r"batchs|depth"):
        build_all()


def test_a_layouts_data_set_must_be_named() -> None:
    with pytest.raises(ValueError, match=r"^data\.name must be given: data\.name=\.\.\."):
        train_config("data=flame_layout", "model=flame")


def test_data_and_model_must_be_given() -> None:
    with pytest.raises(ConfigCompositionException, match="data"):
        train_config("model=flame")


def test_a_checkpoint_of_a_run_goes_on_in_the_runs_folder(tmp_path: Path) -> None:
    checkpoint = tmp_path / "runs" / "x" / "checkpoints" / "last.ckpt"
    checkpoint.parent.mkdir(parents=True)
    assert run_dir(None, "new") == "new"
    assert run_dir(str(checkpoint), "new") == "new"
    (tmp_path / "runs" / "x" / "run.json").write_text("{}")
    assert run_dir(str(checkpoint), "new") == str(tmp_path / "runs" / "x")
    assert run_dir(str(tmp_path / "weights.pth"), "new") == "new"


def hydra_folders(*overrides: str) -> tuple[str, str, str]:
    """Run folder, sweep folder and sweep job's folder that Hydra would take."""
    schema.register()
    with initialize_config_dir(str(CONF_DIR), version_base="1.3"):
        cfg = compose("train", overrides=list(overrides), return_hydra_config=True)
    with open_dict(cfg):
        cfg.hydra.job.num = 3
    HydraConfig.instance().set_config(cfg)
    hydra = OmegaConf.create({"hydra": cfg.hydra, **{k: cfg[k] for k in cfg if k != "hydra"}})
    return hydra.hydra.run.dir, hydra.hydra.sweep.dir, hydra.hydra.sweep.subdir


def test_run_folders_tell_net_and_data_without_an_equals_sign() -> None:
    run, sweep, job = hydra_folders("data=columbiagaze", "model=flame_b", "seed=3")
    assert run.startswith("runs/")
    assert run.endswith("_flame_b_columbiagaze")
    assert sweep.startswith("runs/sweep_")
    assert str(job) == "3"
    assert "=" not in run + sweep


def test_changes_to_a_run_are_typed_as_the_readme_has_them() -> None:
    typed = [
        "results={smoothing:{kind:median,width_frames:7}}",
        "module={flip_average:true}",
        "annotator={analyzer:{min_face_px:24,min_face_fraction:0}}",
    ]
    config = composed("predict", "paths.run_dir=RUN", *typed)
    assert config["results"] == {"smoothing": {"kind": "median", "width_frames": 7}}
    assert config["module"] == {"flip_average": True}
    assert config["annotator"] == {"analyzer": {"min_face_px": 24, "min_face_fraction": 0}}
    with pytest.raises(ConfigCompositionException, match="reslts"):
        composed("predict", "paths.run_dir=RUN", "reslts={smoothing:{kind:median}}")


@pytest.mark.slow
def test_a_sweep_over_models_starts_its_jobs(tmp_path: Path) -> None:
    typed = ["-m", "model=flame_af,flame_b", "data=columbiagaze", f"data.store_dir={tmp_path}"]
    typed += [f"paths.runs_dir={tmp_path}"]
    command = [sys.executable, str(REPO_DIR / "train.py"), *typed]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "no face store in" in done.stderr
    (folder,) = tmp_path.glob("sweep_*")
    assert sorted(path.name for path in folder.iterdir() if path.is_dir()) == ["0", "1"]
