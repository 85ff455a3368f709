"""The configs: every choice composes, and what is composed can be built."""

import re
from pathlib import Path

import pytest
from builders.replays import assert_replayed
from builders.small_training import composed
from builders.train_configs import CONF_DIR, choices, chosen, pairs, train_config
from hydra.utils import get_object

from common.config.arguments import check_names
from common.config.instantiate import build, calls
from common.runs.run import build_module


def test_there_are_configs_to_test() -> None:
    assert {"flame", "flame_ao", "flame_af", "flame_b"} <= set(choices("model"))
    assert {"gazepose", "gazelstm"} <= set(choices("model"))
    assert {"columbiagaze", "eyediap", "flame_layout", "demo_gaze"} <= set(choices("data"))
    assert {"ego4d", "face_imgs", "demo_lam"} <= set(choices("data"))


@pytest.mark.parametrize(("data", "model"), pairs())
def test_every_data_set_goes_with_a_model_of_its_line_and_can_be_replayed(
    data: str, model: str, tmp_path: Path
) -> None:
    config = train_config(*chosen(data), f"model={model}")
    assert config["model"]["name"] == model
    assert config["name"] == f"{model}_{config['data']['name']}"
    if "results" in config["model"]["callbacks"]:
        assert config["model"]["callbacks"]["results"]["trained_on"] == config["data"]["name"]
    assert config["data"]["datamodule"]["store_dir"] == f"data/stores/{config['data']['name']}"
    assert_replayed(config, tmp_path)


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
    folder = CONF_DIR / "experiment"
    text = (folder / f"{experiment}.yaml").read_text()
    for base in re.findall(r"^  - (\w+)$", text, re.MULTILINE):
        text += (folder / f"{base}.yaml").read_text() if base in choices("experiment") else ""
    is_eye_contact = "demo_lam" in text or "contact" in text
    defaults = {"data": "demo_gaze", "model": "gazepose" if is_eye_contact else "flame"}
    return [f"{group}={name}" for group, name in defaults.items() if f"/{group}:" not in text]


def small(config: dict) -> dict:
    """The config with a net that is quickly built; the demo's of eye contact are."""
    is_gaze_angle = config["model"]["line"] == "gaze_angle"
    sizes = {"width": 2, "hidden": 8} if is_gaze_angle else {}
    module = {**config["model"]["module"], "net": {**config["model"]["net"], **sizes}}
    return {**config, "model": {**config["model"], "module": module}}


@pytest.mark.parametrize("debug", choices("debug"))
@pytest.mark.parametrize(
    ("data", "model"), [("columbiagaze", "flame"), ("ego4d", "gazepose"), ("gaze360", "gaze360")]
)
def test_every_debug_config_composes(data: str, model: str, debug: str) -> None:
    config = train_config(f"data={data}", f"model={model}", f"debug={debug}")
    for _, call in calls(config["data"]["datamodule"]):
        given = {key: value for key, value in call.items() if key != "_target_"}
        check_names(get_object(call["_target_"]), given, call["_target_"])
    assert "checkpoint" not in config["callbacks"]
    build(config["trainer"], logger=False, enable_checkpointing=False, accelerator="cpu")
