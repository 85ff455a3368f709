"""Options on the command line: those named anywhere can be typed, misspelt ones are errors."""

import re
from pathlib import Path

import pytest
import torch
from builders.small_training import SMALL_NET, composed
from builders.train_configs import train_config
from hydra.errors import ConfigCompositionException

from common.config.instantiate import build
from common.config.plain import plain
from common.runs.run import build_module


@pytest.mark.parametrize(
    "typed",
    [
        "data=face_imgs model=gazepose data.reader.parts=[val] data.reader.track_rule=repaired "
        "model.backbone.weights=imagenet",
        "data=ego4d model=gazelstm model.backbone.frozen=true model.net.head_hidden=[128] "
        "data.datamodule.drop_last=true",
    ],
)
def test_what_messages_name_can_be_typed(typed: str) -> None:
    train_config(*typed.split())


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


@pytest.mark.parametrize(
    ("line", "typo"),
    [
        *(("gaze", "sed"), ("gaze", "data.store_dri"), ("gaze", "data.datamodul.batch_size")),
        *(("gaze", "model.widht"), ("gaze", "paths.runs"), ("lam", "model.imagesize")),
        *(("lam", "priors.hed"), ("lam", "dropout.kid")),
    ],
)
def test_a_misspelt_key_of_ours_is_an_error(line: str, typo: str) -> None:
    chosen = {"gaze": ["data=columbiagaze", "model=flame"], "lam": ["data=ego4d", "model=gazepose"]}
    with pytest.raises(ConfigCompositionException, match=rf"{re.escape(typo)}\b"):
        train_config(*chosen[line], f"{typo}=1")


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

    with pytest.raises((ConfigCompositionException, ValueError), match="max_epoch"):
        build_trainer()


@pytest.mark.parametrize("typo", ["data.datamodule.batchsize=4", "model.net.depth=4"])
def test_a_misspelt_argument_of_our_classes_is_an_error(typo: str) -> None:
    def build_all() -> None:
        config = train_config("data=columbiagaze", "model=flame", *SMALL_NET, typo)
        build(config["data"]["datamodule"])
        build_module(config)

    with pytest.raises((ConfigCompositionException, ValueError), match=r"batchs|depth"):
        build_all()


@pytest.mark.parametrize(
    ("added", "of_them"),
    [
        ("+lr=1e-4", "seed"),
        ("++model.lr=1e-4", r"model\.learning_rate"),
        ("+data.batch_size=3", r"data\.datamodule"),
    ],
)
def test_what_is_added_and_nothing_reads_is_an_error(added: str, of_them: str) -> None:
    key = added.lstrip("+").partition("=")[0]
    with pytest.raises(ValueError, match=rf"{re.escape(key)}: .*{of_them}"):
        train_config("data=columbiagaze", "model=flame", added)


def test_what_is_added_to_a_library_is_left_to_it() -> None:
    train_config("data=columbiagaze", "model=flame", "+model.net.any=1")


SMALL_OF = {
    "flame": ["data=columbiagaze", *SMALL_NET],
    "gazelstm": ["data=ego4d", "model.backbone.width=4"],
    "gaze360": ["data=gaze360", "model.backbone.width=4"],
}


@pytest.mark.parametrize("model", SMALL_OF)
def test_what_an_optimizer_or_scheduler_takes_can_be_typed(model: str) -> None:
    typed = [f"model={model}", *SMALL_OF[model], "model.module.optimizer.weight_decay=0.5"]
    module = build_module(train_config(*typed, "model.module.scheduler.last_epoch=-1"))
    asked = module.configure_optimizers()
    assert asked["optimizer"].param_groups[0]["weight_decay"] == 0.5


def test_another_optimizer_and_scheduler_can_be_typed_with_what_they_take() -> None:
    typed = [
        *("model.module.optimizer._target_=torch.optim.SGD", "model.module.optimizer.momentum=0.9"),
        "model.module.scheduler={_target_:torch.optim.lr_scheduler.StepLR,step_size:3}",
        "~model.module.scheduler.milestones",
    ]
    module = build_module(train_config("model=flame", *SMALL_OF["flame"], *typed))
    optimizer = module.configure_optimizers()["optimizer"]
    assert isinstance(optimizer, torch.optim.SGD)
    assert optimizer.param_groups[0]["momentum"] == 0.9


@pytest.mark.parametrize(
    ("model", "typo", "named"),
    [
        ("flame", "optimizer.fusd=true", r"Adam .*fusd"),
        ("flame", "scheduler.gama=2", r"MultiStepLR .*gama"),
        ("flame", "optimizer._targt_=torch.optim.SGD", "_targt_"),
        ("flame", "optimizr.fused=true", "optimizr"),
        ("flame", "loss.fused=true", r"loss\.fused"),
        *((model, "optimizer.fusd=true", r"Adam .*fusd") for model in ("gazelstm", "gaze360")),
        *((model, "fused=true", r"module\.fused") for model in SMALL_OF),
    ],
)
def test_a_misspelt_argument_of_an_optimizer_is_an_error_before_training(
    model: str, typo: str, named: str
) -> None:
    with pytest.raises((ConfigCompositionException, ValueError), match=named):
        build_module(train_config(f"model={model}", *SMALL_OF[model], f"model.module.{typo}"))


def test_a_layouts_data_set_must_be_named() -> None:
    with pytest.raises(ValueError, match=r"data\.name=\.\.\."):
        train_config("data=flame_layout", "model=flame")


def test_data_and_model_must_be_given() -> None:
    with pytest.raises(ConfigCompositionException, match="data"):
        train_config("model=flame")


def test_what_must_be_given_is_named_with_how_to_type_it() -> None:
    missing = {"data": {"raw_dir": "???"}, "seed": "???", "name": "${seed}"}
    with pytest.raises(ValueError, match=r"data\.raw_dir and seed .*: data\.raw_dir=\.\.\. seed="):
        plain(missing)
    with pytest.raises(ValueError, match="must be given"):
        plain({"parts": ["train", "???"]})
